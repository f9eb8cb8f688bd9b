// `import` of a package resolves as if the file lay in its package's folder of links.
import { isBuiltin } from 'node:module';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import map from './map.cjs';

export function resolve(specifier, context, next) {
  if (!map.isBare(specifier) || isBuiltin(specifier) || !context.parentURL?.startsWith('file:')) return next(specifier, context);
  const folder = map.folderOf(fileURLToPath(context.parentURL));
  return next(specifier, { ...context, parentURL: pathToFileURL(join(folder, 'x.js')).href });
}
