// The history of npm's packages, as `prefetch-replay` reads it.
//
//   npm.cjs CACHE OUT
//
// Packages are what the roots below ever needed, breadth first, as far as MOST. What npm's own client brings says when a version came. A project is
// a package with what its manifest asks for, development included; what it was installed with is its closure on the day of its last version before
// NOW; what it came to ask for is its last version between NOW and THEN. The projects of one GitHub owner are on one machine.

const fs = require('node:fs');
const path = require('node:path');
const modules = process.env.NPM_MODULES;
const pacote = require(path.join(modules, 'pacote'));
const { semver, weirVersion, weirRange } = require('../real-npm/npm-names.cjs');

const [cache, out] = process.argv.slice(2);
const NOW = process.env.NOW ?? '2026-05-15';
const THEN = process.env.THEN ?? '2026-11-15';
const MOST = Number(process.env.MOST ?? 4000);
// What was not touched for long is nobody's project.
const ALIVE = '2022';
const ROOTS = `eslint webpack webpack-cli vite jest mocha rollup parcel express koa fastify next nuxt gatsby vue react-scripts
  react-dom svelte astro prettier stylelint tailwindcss sass less gulp grunt karma ava tap nyc c8 vitest cypress playwright
  puppeteer typedoc jsdoc ts-node ts-jest tsup esbuild babel-loader css-loader style-loader html-webpack-plugin http-server
  nodemon pm2 lerna nx turbo rimraf concurrently husky lint-staged commitizen semantic-release standard xo jshint browserify
  uglify-js handlebars pug nunjucks mongoose sequelize knex typeorm redis pg mysql2 socket.io ws axios got superagent cheerio
  jsdom lodash dayjs date-fns chalk commander yargs inquirer ora winston pino morgan helmet passport jsonwebtoken multer
  nodemailer graphql redux formik antd bootstrap styled-components three d3 chart.js electron expo react-native firebase
  aws-sdk serverless markdown-it marked hexo verdaccio npm-check-updates depcheck madge`.split(/\s+/);

const history = {};

bring().then(() => {
  const packages = named();
  fs.writeFileSync(out, JSON.stringify({ packages, machines: machines() }));
});

/** Twelve at a time. */
function bring() {
  const queue = [...ROOTS];
  const seen = new Set(queue);
  let running = 0;
  return new Promise((done) => {
    const next = () => {
      while (running < 12 && queue.length && Object.keys(history).length + running < MOST) {
        const name = queue.shift();
        running += 1;
        pacote.packument(name, { fullMetadata: true, cache, preferOffline: true })
          .then((told) => keep(name, told).forEach((on) => { if (!seen.has(on)) { seen.add(on); queue.push(on); } }),
            (error) => console.error(`${name}: ${error.code ?? error.message}`))
          .finally(() => { running -= 1; next(); });
      }
      if (running === 0) done();
    };
    next();
  });
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
