// Which folder of links belongs to a file: that of the package in the store which the file is in, or the project's.

const fs = require('node:fs');
const path = require('node:path');

const { folders, project } = JSON.parse(fs.readFileSync(path.join(process.env.FARM, 'map.json')));
const known = new Map(Object.entries(folders));

function folderOf(file) {
  const passed = [];
  let folder = path.dirname(file);
  let found = project;
  for (; folder !== path.dirname(folder); folder = path.dirname(folder)) {
    if (known.has(folder)) {
      found = known.get(folder);
      break;
    }
    passed.push(folder);
  }
  for (const one of passed) known.set(one, found);
  return found;
}

const isBare = (request) => !/^(\.{0,2}\/|\.{1,2}$|#|[a-z]+:)/.test(request);

module.exports = { folderOf, isBare };
