// npm's names, versions and ranges in Weir's language.
//
// Names: `@scope/name` becomes `scope/name`, `name` becomes `npm/name`; characters that Weir does not
// take become `-`; a name that could be mistaken for one taken before gets `-2`, `-3`, …
// Ranges: npm's own reading of a range (hyphens, x-ranges, tildes all spelt out as comparators), with
// commas for its spaces. `<2.0.0-0`, npm's way to keep pre-releases of 2.0.0 out, is `<2.0.0`.

const semver = require(require('node:path').join(process.env.NPM_MODULES, 'semver'));

const taken = new Map();
const given = new Map();

function weirName(npm) {
  if (given.has(npm)) return given.get(npm);
  const [owner, name] = npm.startsWith('@') ? npm.slice(1).split('/') : ['npm', npm];
  const clean = (part) => part.replace(/[^A-Za-z0-9._-]/g, '-').replace(/^[^A-Za-z0-9]+/, 'x-').replace(/\.+$/, '').slice(0, 60);
  const base = `${clean(owner)}/${clean(name)}`;
  let chosen = base;
  for (let count = 2; taken.has(confusable(chosen)); count += 1) chosen = `${base}-${count}`;
  taken.set(confusable(chosen), npm);
  given.set(npm, chosen);
  return chosen;
}

const confusable = (name) => name.toLowerCase().replace(/[_.]/g, '-');

const weirVersion = (version) => version.split('+')[0];

/** A range in Weir's language, or null for a dist-tag, an address or anything else that is no range. */
function weirRange(range) {
  let parsed;
  try {
    parsed = new semver.Range(range);
  } catch {
    return null;
  }
  const alternatives = parsed.set.map((comparators) => {
    const parts = comparators.map((one) => one.value).filter((value) => value !== '');
    if (parts.length === 0) return '*';
    return parts.map((value) => (/^\d/.test(value) ? `=${value}` : value).replace(/^(<\d+\.\d+\.\d+)-0$/, '$1')).join(', ');
  });
  return alternatives.join(' || ');
}

module.exports = { semver, weirName, weirVersion, weirRange };
