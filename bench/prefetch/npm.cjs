// The history of npm's packages, as `prefetch-replay` reads it.
//
//   npm.cjs FOLDER OUT
//
// Packages are what npm's own client came to look at when it chose what the applications of FOLDER/package.json need: nothing is asked for beyond
// that, it is read from the client's cache in FOLDER/cache. That says when a version came. A project is a package with what its manifest asks for,
// development included; what it was installed with is its closure on the day of its last version before NOW; what it came to ask for is its last
// version between NOW and THEN. The projects of one GitHub owner are on one machine.

const fs = require('node:fs');
const path = require('node:path');
const modules = process.env.NPM_MODULES;
const pacote = require(path.join(modules, 'pacote'));
const { semver, weirVersion, weirRange } = require('../real-npm/npm-names.cjs');

const [folder, out] = process.argv.slice(2);
const cache = path.join(folder, 'cache', '_cacache');
const NOW = process.env.NOW ?? '2026-05-15';
const THEN = process.env.THEN ?? '2026-11-15';
// What was not touched for long is nobody's project.
const ALIVE = '2022';

const history = {};

bring().then(() => {
  const packages = named();
  fs.writeFileSync(out, JSON.stringify({ packages, machines: machines() }));
});

/** What the client looked at, with when each version came. Of an alias there is nothing under its own name. */
async function bring() {
  const { packages } = JSON.parse(fs.readFileSync(path.join(folder, 'package-lock.json')));
  const waiting = Object.keys(packages).filter((place) => place).map((place) => place.replace(/.*node_modules\//, ''));
  const seen = new Set(waiting);
  for (const name of waiting) {
    const told = await pacote.packument(name, { fullMetadata: true, cache, offline: true }).catch(() => null);
    for (const on of told ? keep(name, told) : []) {
      if (!seen.has(on)) waiting.push(on);
      seen.add(on);
    }
  }
}

/** Keeps what is wanted of a package, and gives what its last versions needed. */
function keep(name, told) {
  const versions = [];
  let owner = '';
  for (const [version, manifest] of Object.entries(told.versions)) {
    const at = told.time?.[version];
    const address = typeof manifest.repository === 'string' ? manifest.repository : manifest.repository?.url;
    owner = (address?.match(/github(?:\.com)?[/:]([^/]+)\//) ?? address?.match(/^([\w-]+)\/[\w.-]+$/))?.[1] ?? owner;
    if (!at || version.includes('-') || !semver.valid(version)) continue;
    const optional = manifest.optionalDependencies ?? {};
    const needs = Object.fromEntries(Object.entries(manifest.dependencies ?? {}).filter(([on]) => !(on in optional)));
    versions.push({ version, at, needs, asks: { ...manifest.devDependencies, ...needs } });
  }
  versions.sort((one, other) => (one.at < other.at ? -1 : 1));
  history[name] = { owner, versions };
  return versions.slice(-60).flatMap(({ needs }) => Object.keys(needs));
}

// --- in Weir's words

const names = new Map();

function weirName(npm) {
  if (names.has(npm)) return names.get(npm);
  const clean = (part) => part.toLowerCase().replace(/[^a-z0-9]+/g, '-').replace(/^-+|-+$/g, '').slice(0, 60) || 'x';
  let name = `${clean(history[npm].owner || 'npm')}/${clean(npm)}`;
  while ([...names.values()].includes(name)) name += '-2';
  names.set(npm, name);
  return name;
}

/** Of what is in this history, by Weir's names and ranges. */
function requirements(needs) {
  const known = Object.entries(needs).filter(([on]) => history[on]).map(([on, range]) => [weirName(on), weirRange(range)]);
  return Object.fromEntries(known.filter(([, range]) => range !== null));
}

function named() {
  const packages = {};
  for (const [name, { versions }] of Object.entries(history)) {
    const there = versions.filter(({ at }) => at <= NOW);
    const seen = new Map(there.map(({ version, needs }) => [weirVersion(version), requirements(needs)]));
    if (seen.size) packages[weirName(name)] = [...seen];
  }
  return packages;
}

// --- machines

function machines() {
  const owners = new Map();
  for (const [name, { owner, versions }] of Object.entries(history)) {
    const before = versions.findLast(({ at }) => at <= NOW && at > ALIVE);
    const after = versions.findLast(({ at }) => at > NOW && at <= THEN);
    if (!owner || !before) continue;
    if (!owners.has(owner)) owners.set(owner, { projects: [], next: [] });
    owners.get(owner).projects.push({ asks: requirements(before.asks), lock: closure(before.asks, before.at) });
    if (after) owners.get(owner).next.push(requirements(after.asks));
  }
  return [...owners.values()].filter(({ projects, next }) => projects.length >= 2 && next.length);
}

const sorted = new Map();

/** The newest in range on that day. */
function best(name, range, day) {
  if (!history[name]) return null;
  if (!sorted.has(name)) sorted.set(name, [...history[name].versions].sort((a, b) => semver.rcompare(a.version, b.version)));
  let wanted;
  try { wanted = new semver.Range(range); } catch { return null; }
  return sorted.get(name).find(({ version, at }) => at <= day && wanted.test(version)) ?? null;
}

function closure(asks, day) {
  const seen = new Set();
  const waiting = Object.entries(asks);
  while (waiting.length) {
    const [name, range] = waiting.pop();
    const chosen = best(name, range, day);
    const id = chosen && `${weirName(name)} ${weirVersion(chosen.version)}`;
    if (!chosen || seen.has(id)) continue;
    seen.add(id);
    waiting.push(...Object.entries(chosen.needs));
  }
  return [...seen];
}
