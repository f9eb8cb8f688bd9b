"""Times commands in turns, and reports medians, peak memory and ratios.

The commands of one plan take turns, and another one begins each round, so that a noisy minute and
what the one before left to be written hit all of them alike: only the ratios of one run mean anything. A plan is JSON on standard input:

    {"rounds": 9, "base": "bun", "commands": [
       {"name": "weir", "prepare": "shell text", "run": ["argv", "..."], "folder": "/x", "env": {}}]}

`prepare` is run by bash before each round, outside the clock. The result is a table on standard error
and JSON on standard output. Memory is the largest resident set, measured in rounds of its own by GNU
time, so that its own start is not in the times.
"""

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time


def prepare(command):
    if command.get("prepare"):
        subprocess.run(["bash", "-euc", command["prepare"]], check=True, stdout=subprocess.DEVNULL)


def run(command, argv):
    environment = {**os.environ, **command.get("env", {})}
    with tempfile.TemporaryFile() as output:
        start = time.perf_counter()
        process = subprocess.Popen(argv, cwd=command.get("folder"), env=environment,
                                   stdin=subprocess.DEVNULL, stdout=output, stderr=output)
        status = process.wait()
        elapsed = time.perf_counter() - start
        if status != command.get("status", 0):
            output.seek(0)
            raise SystemExit(f"{command['name']}: exit code {status}\n{output.read().decode()[-2000:]}")
    return elapsed


def memory(command):
    prepare(command)
    with tempfile.NamedTemporaryFile("r") as result:
        run(command, ["/usr/bin/time", "-f", "%M", "-o", result.name, *command["run"]])
        return int(result.read().split()[-1]) / 1024


def main():
    plan = json.load(sys.stdin)
    commands = plan["commands"]
    times = {command["name"]: [] for command in commands}
    for number in range(plan.get("rounds", 7)):
        first = number % len(commands)
        for command in commands[first:] + commands[:first]:
            prepare(command)
            times[command["name"]].append(run(command, command["run"]))
    base = statistics.median(times[plan["base"]])
    result = []
    print(f"\n{plan['title']}: {plan.get('rounds', 7)} rounds in turns", file=sys.stderr)
    print(f"{'':26}{'median':>10}{'min':>10}{'max':>10}{'ratio':>8}{'memory':>10}", file=sys.stderr)
    for command in commands:
        taken = times[command["name"]]
        median = statistics.median(taken)
        peak = max(memory(command) for _ in range(plan.get("memory_rounds", 3)))
        result.append({"name": command["name"], "median_ms": median * 1e3, "min_ms": min(taken) * 1e3,
                       "max_ms": max(taken) * 1e3, "ratio": median / base, "peak_mib": peak})
        print(f"{command['name']:26}{median * 1e3:8.1f}ms{min(taken) * 1e3:8.1f}ms{max(taken) * 1e3:8.1f}ms"
              f"{median / base:8.2f}{peak:7.1f}MiB", file=sys.stderr)
    json.dump({"title": plan["title"], "base": plan["base"], "results": result}, sys.stdout)
    print()


main()
