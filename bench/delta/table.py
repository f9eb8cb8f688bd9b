"""The lines of delta.json as a table, and what they say together."""

import json
import statistics
import sys

rows = [json.loads(line) for line in open(sys.argv[1], encoding="utf-8")]


def travels(row: dict) -> int:
    """What a client fetches: the delta where a registry keeps one, which is where it has less than half of the pack's bytes."""
    return row["delta"] if row["delta"] is not None and row["delta"] * 2 <= row["pack"] and row["pack"] >= 8192 else row["pack"]


print("| package | pack | delta | share | whole files | chunks | unpack | apply | make |")
print("| --- | --- | --- | --- | --- | --- | --- | --- | --- |")
for row in rows:
    pack = row["pack"]
    share = travels(row) / pack
    print(
        f"| {row['name']} | {pack:,} | {row['delta'] or 0:,} | {share:.1%} | {row['files'] / pack:.0%} | {row['chunks'] / pack:.0%} "
        f"| {row['unpacking-ms']} ms | {row['applying-ms']} ms | {row['making-ms']} ms |"
    )
packs = sum(row["pack"] for row in rows)
for name, of in [("delta", travels), ("whole files", lambda row: min(row["files"], row["pack"])), ("chunks", lambda row: row["chunks"])]:
    median = statistics.median(of(row) / row["pack"] for row in rows)
    print(f"{name}: median {median:.1%}, by bytes {sum(map(of, rows)) / packs:.1%}")
slower = [row["applying-ms"] / row["unpacking-ms"] for row in rows if row["applying-ms"]]
print(f"applying: median {statistics.median(slower):.2f} of unpacking, at most {max(slower):.2f}, {len(rows)} pairs")
