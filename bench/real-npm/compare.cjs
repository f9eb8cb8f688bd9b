// The releases that Weir's lockfile names, beside the packages that npm's lockfile names.
//
//   compare.cjs WORK

const fs = require('node:fs');
const path = require('node:path');

const work = process.argv[2];
const names = JSON.parse(fs.readFileSync(path.join(work, 'app/names.json')));
const { packages } = JSON.parse(fs.readFileSync(path.join(work, 'app/weir_packages/packages.json')));
const npm = new Set(Object.values(names).map((one) => `${one.npm}@${one.version}`));
const weir = new Set(Object.keys(packages).map((id) => `${names[id].npm}@${names[id].version}`));
const only = (a, b) => [...a].filter((one) => !b.has(one)).sort();
console.log(`npm: ${npm.size} packages; Weir: ${weir.size}; in both: ${[...npm].filter((one) => weir.has(one)).length}`);
console.log(`only npm: ${only(npm, weir).join(', ') || 'none'}`);
console.log(`only Weir: ${only(weir, npm).join(', ') || 'none'}`);
