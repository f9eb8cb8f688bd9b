// Publishes the packages that npm installed into a registry of npm's protocol, each in the versions that were installed.
//
//   fill.cjs WORK ADDRESS
//
// Not by `npm publish`: a manifest may say where its package is published, and none of this is to go there.

const fs = require('node:fs');
const path = require('node:path');
const cacache = require(path.join(process.env.NPM_MODULES, 'cacache'));
const ssri = require(path.join(process.env.NPM_MODULES, 'ssri'));

const [work, address] = process.argv.slice(2);
main();

async function main() {
  const lock = JSON.parse(fs.readFileSync(path.join(work, 'npm-app/package-lock.json')));
  const done = new Set();
  for (const [at, { version, integrity }] of Object.entries(lock.packages)) {
    const folder = path.join(work, 'npm-app', at);
    if (at === '' || !integrity || !fs.existsSync(path.join(folder, 'package.json'))) continue;
    const manifest = JSON.parse(fs.readFileSync(path.join(folder, 'package.json')));
    const id = `${manifest.name}@${version}`;
    if (done.has(id)) continue;
    done.add(id);
    await publish(manifest, await cacache.get.byDigest(path.join(work, 'npm-cache/_cacache'), integrity));
  }
  console.log(`${done.size} packages`);
}

async function publish(manifest, archive) {
  const { name, version } = manifest;
  const file = `${name}-${version}.tgz`;
  const url = `${address}/${name.replace('/', '%2f')}`;
  const integrity = ssri.fromData(archive, { algorithms: ['sha512'] }).toString();
  const shasum = ssri.fromData(archive, { algorithms: ['sha1'] }).sha1[0].hexDigest();
  const dist = { integrity, shasum, tarball: `${address}/${name}/-/${file}` };
  const body = {
    _id: name,
    name,
    'dist-tags': { latest: version },
    versions: { [version]: { ...manifest, _id: `${name}@${version}`, dist } },
    _attachments: { [file]: { content_type: 'application/octet-stream', data: archive.toString('base64'), length: archive.length } },
  };
  const reply = await fetch(url, { method: 'PUT', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) });
  if (!reply.ok) throw new Error(`${name}@${version}: ${reply.status} ${await reply.text()}`);
}
