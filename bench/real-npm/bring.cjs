// From npm's lockfile and cache to releases in a Weir registry.
//
//   bring.cjs WORK APPLICATION…
//
// Every package of WORK/npm-app/package-lock.json whose archive is in npm's cache is imported with
// `weir import`, with its real dependency ranges, and published in a few batches, dependencies first.
//
// * Dependencies, and optional ones that npm installed on this machine, become dependencies.
// * Peers (also optional ones) that npm installed become fluid dependencies: whoever uses the package decides.
// * What lies on a cycle becomes fluid, for what is baked cannot form one.
// * An alias (`npm:other@range`) is published as a package of its own, under the alias. Tags and
//   addresses become the exact version that npm chose.

const { execFileSync } = require('node:child_process');
const fs = require('node:fs');
const path = require('node:path');
const { semver, weirName, weirVersion, weirRange } = require('./npm-names.cjs');
const cacache = require(path.join(process.env.NPM_MODULES, 'cacache'));

const [work, ...apps] = process.argv.slice(2);
const weir = process.env.WEIR;
const BATCH = 120;
const count = { installed: 0, refused: [], notes: [], aliases: [], tags: [], optionalAbsent: 0, peersAbsent: 0, peers: 0, cyclic: 0, ignoring: 0, renamed: 0, bins: [] };

main();

async function main() {
  const lock = JSON.parse(fs.readFileSync(path.join(work, 'npm-app/package-lock.json')));
  const installed = Object.fromEntries(Object.entries(lock.packages).filter(([at]) => at !== '' && fs.existsSync(path.join(work, 'npm-app', at, 'package.json'))));
  const packages = read(installed);
  count.installed = packages.size;
  linkUp(packages, installed);
  const groups = components([...packages.values()]);
  await importAll(groups.flat());
  publish(groups);
  writeProject(packages);
  report(packages);
}

/** One node a name and version, whatever many places npm put it at. */
function read(installed) {
  const packages = new Map();
  for (const [at, entry] of Object.entries(installed)) {
    const name = at.slice(at.lastIndexOf('node_modules/') + 13);
    const id = `${name}@${entry.version}`;
    if (!packages.has(id)) packages.set(id, { id, name, version: entry.version, integrity: entry.integrity, entry, at, needs: [] });
  }
  for (const name of new Set([...packages.values()].map((one) => one.name).sort())) {
    const mapped = weirName(name);
    if (mapped !== (name.startsWith('@') ? name.slice(1) : `npm/${name}`)) count.renamed += 1;
  }
  return packages;
}

/** What each package needs, as Weir will be told, and which of the packages would do. */
function linkUp(packages, installed) {
  const byName = new Map();
  for (const one of packages.values()) byName.set(one.name, [...(byName.get(one.name) ?? []), one]);
  for (const one of packages.values()) {
    const wanted = [
      ...Object.entries(one.entry.peerDependencies ?? {}).map(([name, range]) => ({ name, range, peer: true })),
      ...Object.entries(one.entry.dependencies ?? {}).map(([name, range]) => ({ name, range })),
      ...Object.entries(one.entry.optionalDependencies ?? {}).map(([name, range]) => ({ name, range, optional: true })),
    ];
    const needs = new Map();
    for (const want of wanted) {
      const at = find(installed, one.at, want.name);
      if (at === undefined) {
        if (want.peer) count.peersAbsent += 1;
        else if (want.optional) count.optionalAbsent += 1;
        else throw new Error(`${one.id} needs ${want.name}, which npm did not install`);
        continue;
      }
      const chosen = installed[at];
      let text = want.range;
      if (text.startsWith('npm:')) {
        count.aliases.push(`${one.id}: ${want.name} -> ${text}`);
        text = text.slice(text.lastIndexOf('@') + 1);
      }
      let range = weirRange(text);
      if (range === null || !semver.satisfies(chosen.version, text, { includePrerelease: false })) {
        count.tags.push(`${one.id}: ${want.name} ${want.range} -> ${chosen.version}`);
        range = `=${weirVersion(chosen.version)}`;
        text = chosen.version;
      }
      if (want.peer) count.peers += 1;
      const targets = byName.get(want.name).filter((other) => semver.satisfies(other.version, text));
      needs.set(want.name, { name: want.name, range, fluid: Boolean(want.peer), targets });
    }
    one.needs = [...needs.values()];
  }
}

/** Where node would find `name` from `at`. */
function find(installed, at, name) {
  for (let from = at; ; from = from.slice(0, from.lastIndexOf('/node_modules/'))) {
    const candidate = `${from}/node_modules/${name}`;
    if (installed[candidate]) return candidate;
    if (!from.includes('/node_modules/')) break;
  }
  return installed[`node_modules/${name}`] ? `node_modules/${name}` : undefined;
}

/** Strongly connected components, dependencies first (Tarjan). Edges within one become fluid. */
function components(nodes) {
  const state = new Map();
  const stack = [];
  const result = [];
  const visit = (node) => {
    const mine = { index: state.size, low: state.size, on: true };
    state.set(node, mine);
    stack.push(node);
    for (const target of node.needs.flatMap((need) => need.targets)) {
      if (!state.has(target)) visit(target);
      const other = state.get(target);
      if (other.on) mine.low = Math.min(mine.low, other.low);
    }
    if (mine.low !== mine.index) return;
    const group = [];
    for (;;) {
      const member = stack.pop();
      state.get(member).on = false;
      group.push(member);
      if (member === node) break;
    }
    result.push(group);
  };
  for (const node of nodes) if (!state.has(node)) visit(node);
  for (const group of result) {
    for (const need of group.flatMap((node) => node.needs)) {
      if (!need.fluid && need.targets.some((target) => group.includes(target))) {
        need.fluid = true;
        count.cyclic += 1;
      }
    }
  }
  return result;
}

async function importAll(nodes) {
  fs.mkdirSync(path.join(work, 'archives'));
  fs.mkdirSync(path.join(work, 'packages'));
  const cache = path.join(work, 'npm-cache/_cacache');
  for (const node of nodes) {
    const file = `${weirName(node.name).replace('/', '+')}-${weirVersion(node.version)}`;
    const archive = path.join(work, 'archives', `${file}.tgz`);
    fs.writeFileSync(archive, await cacache.get.byDigest(cache, node.integrity));
    node.folder = path.join(work, 'packages', file);
    importOne(node, archive);
  }
}

function importOne(node, archive) {
  const entry = JSON.parse(fs.readFileSync(path.join(work, 'npm-app', node.at, 'package.json')));
  const options = ['import', archive, '--json', '--name', weirName(node.name), '--set-version', weirVersion(node.version), '--into', node.folder];
  if (typeof entry.license === 'string' && entry.license.length < 100) options.push('--license', entry.license);
  if (typeof entry.description === 'string' && entry.description) options.push('--description', entry.description.replace(/\s+/g, ' ').slice(0, 200));
  const bins = typeof entry.bin === 'string' ? { [node.name.split('/').pop()]: entry.bin } : (entry.bin ?? {});
  for (const [command, file] of Object.entries(bins)) {
    const normal = path.posix.normalize(file);
    if (!fs.existsSync(path.join(work, 'npm-app', node.at, normal))) continue;
    options.push('--bin', `${command}=${normal}`);
    node.bins = [...(node.bins ?? []), normal];
  }
  for (const need of node.needs.filter((one) => !one.fluid)) options.push('--dependency', `${weirName(need.name)}@${need.range}`);
  let answer;
  try {
    answer = JSON.parse(execFileSync(weir, options, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] }));
  } catch (error) {
    count.refused.push(`${node.id}: ${(error.stderr ?? String(error)).trim()}`);
    node.refused = true;
    return;
  }
  const notes = answer.notes ?? [];
  if (notes.length) count.notes.push(`${node.id}: ${notes.join('; ')}`);
  for (const file of node.bins ?? []) fs.chmodSync(path.join(node.folder, file), 0o755);
  finishManifest(node);
}

/** What `weir import` has no option for: fluid dependencies, and that everything in the archive belongs to it. */
function finishManifest(node) {
  const file = path.join(node.folder, 'weir.toml');
  let text = fs.readFileSync(file, 'utf8');
  // An archive may carry the ignore file its author worked with, naming built files that it also carries.
  if (fs.readdirSync(node.folder, { recursive: true }).some((name) => path.basename(name) === '.gitignore')) {
    text = text.replace('[package]\n', '[package]\ninclude = ["**"]\n');
    count.ignoring += 1;
  }
  const fluid = node.needs.filter((need) => need.fluid).map((need) => `"${weirName(need.name)}" = { range = "${need.range}", fluid = true }\n`);
  if (fluid.length) {
    if (!text.includes('[dependencies]\n')) text += '\n[dependencies]\n';
    text = text.replace('[dependencies]\n', `[dependencies]\n${fluid.join('')}`);
  }
  fs.writeFileSync(file, text);
}

/** Batches of about BATCH releases, no group of packages that need each other torn apart. */
function publish(groups) {
  let batch = [];
  let number = 0;
  const send = () => {
    if (batch.length === 0) return;
    number += 1;
    execFileSync(weir, ['publish', '-q', ...batch.map((node) => node.folder)], { stdio: ['ignore', 'ignore', 'inherit'] });
    count.published = (count.published ?? 0) + batch.length;
    batch = [];
  };
  for (const group of groups) {
    if (batch.length + group.length > BATCH) send();
    batch.push(...group.filter((node) => !node.refused));
  }
  send();
  count.batches = number;
}

function writeProject(packages) {
  fs.mkdirSync(path.join(work, 'app'));
  const lines = apps.map((app) => {
    const [node] = [...packages.values()].filter((one) => one.name === app && one.at === `node_modules/${app}`);
    return `"${weirName(app)}" = "=${weirVersion(node.version)}"`;
  });
  fs.writeFileSync(path.join(work, 'app/weir.toml'), `[package]\n\n[dependencies]\n${lines.join('\n')}\n`);
  // How each package's code calls the packages it needs: for the hook, and for comparing.
  const names = Object.fromEntries([...packages.values()].map((node) => [`${weirName(node.name)} ${weirVersion(node.version)}`, {
    npm: node.name, version: node.version, needs: Object.fromEntries(node.needs.map((need) => [weirName(need.name), need.name])),
  }]));
  fs.writeFileSync(path.join(work, 'app/names.json'), JSON.stringify(names, null, 1));
}

function report() {
  const list = (title, lines) => { if (lines.length) console.log(`${title}: ${lines.length}\n${lines.slice(0, 12).map((line) => `    ${line}`).join('\n')}`); };
  console.log(`packages that npm installed: ${count.installed}`);
  console.log(`published: ${count.published} releases in ${count.batches} batches`);
  console.log(`names that had to change beyond the mapping: ${count.renamed}`);
  console.log(`optional dependencies left out, not installed here: ${count.optionalAbsent}; peers left out, not installed: ${count.peersAbsent}`);
  console.log(`peers made fluid: ${count.peers}; dependencies made fluid for a cycle: ${count.cyclic}`);
  console.log(`archives with a .gitignore of their own: ${count.ignoring}`);
  list('archives refused', count.refused);
  list('archives with notes', count.notes);
  list('aliases', count.aliases);
  list('tags and addresses, pinned to what npm chose', count.tags);
}
