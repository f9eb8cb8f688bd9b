// `require` of a package resolves as if the file lay in its package's folder of links.

const Module = require('node:module');
const path = require('node:path');
const { folderOf, isBare } = require('./map.cjs');

const original = Module._resolveFilename;
Module._resolveFilename = function resolve(request, parent, isMain, options) {
  if (!isBare(request) || Module.isBuiltin(request) || !parent?.filename) {
    return original.call(this, request, parent, isMain, options);
  }
  const folder = folderOf(parent.filename);
  const filename = path.join(folder, 'x.js');
  return original.call(this, request, { id: filename, filename, paths: [path.join(folder, 'node_modules')] }, isMain);
};
