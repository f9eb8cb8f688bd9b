// Lets node find each package's dependencies: for every package of weir_packages/packages.json a folder
// of links, `node_modules/<npm's name>` to the content in the store. hook.cjs and hook.mjs resolve from there.
//
//   farm.cjs PROJECT

const fs = require('node:fs');
const path = require('node:path');

const project = process.argv[2];
const { packages } = JSON.parse(fs.readFileSync(path.join(project, 'weir_packages/packages.json')));
const names = JSON.parse(fs.readFileSync(path.join(project, 'names.json')));
const farm = path.join(project, 'weir_packages/.farm');
const folders = {};
const direct = {};
let links = 0;

function link(folder, name, target) {
  const at = path.join(folder, 'node_modules', name);
  fs.mkdirSync(path.dirname(at), { recursive: true });
  if (fs.existsSync(at)) return;
  fs.symlinkSync(target, at);
  links += 1;
}

Object.entries(packages).forEach(([id, entry], number) => {
  const folder = path.join(farm, String(number));
  folders[entry.content] = folder;
  const known = names[id];
  link(folder, known.npm, entry.content);
  for (const [name, version] of Object.entries(entry.dependencies)) {
    const key = packages[version] ? version : `${name} ${version}`;
    link(folder, known.needs[name] ?? names[key].npm, packages[key].content);
  }
  if (entry.direct) direct[known.npm] = entry.content;
});
for (const [name, content] of Object.entries(direct)) link(path.join(farm, 'project'), name, content);
fs.writeFileSync(path.join(farm, 'map.json'), JSON.stringify({ folders, direct, project: path.join(farm, 'project') }));
console.log(`${Object.keys(packages).length} packages, ${links} links`);
