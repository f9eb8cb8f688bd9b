// An OpenID provider for the tests: `oidc-provider`, which is certified, with two things that no provider offers.
//
//   node provider.mjs PORT        listens on 127.0.0.1, prints its address, and ends with its stdin
//
// * The grant `urn:test:job` gives an identity token to whoever asks, with the claims they ask for, as the provider of a build
//   server gives one to its jobs. It is made and signed by `oidc-provider`.
// * `POST /forge` signs what no provider would: by the provider's own key, or in a way that must not be believed.
//
// * `POST /people` says what else it says of somebody.
//
// Who signs in is whom `login_hint` names; nobody is asked for anything. Clients register themselves, under the name they choose.
import { createHmac, randomUUID } from 'node:crypto';
import { createServer } from 'node:http';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

// What npm brought is not beside this file.
const require = createRequire(join(process.env.WEIR_TEST_OIDC, 'package.json'));
const bring = (name) => import(pathToFileURL(require.resolve(name)).href);
const { Provider } = await bring('oidc-provider');
const jose = await bring('jose');

const server = createServer();
await new Promise((done) => server.listen(Number(process.argv[2] ?? 0), '127.0.0.1', done));
const issuer = `http://127.0.0.1:${server.address().port}`;

const { publicKey, privateKey } = await jose.generateKeyPair('RS256', { extractable: true });
// A fourth word is what its key is called: as another's is, perhaps.
const kid = process.argv[4] ?? randomUUID();
const key = { ...(await jose.exportJWK(privateKey)), kid, alg: 'RS256', use: 'sig' };

/// What is said of people besides the usual.
const people = new Map();

const provider = new Provider(issuer, {
  jwks: { keys: [key] },
  cookies: { keys: ['test'] },
  claims: { profile: ['name', 'preferred_username', 'groups'], email: ['email', 'email_verified'] },
  // With a third word, claims are told where they are asked for, and not in the token.
  conformIdTokenClaims: process.argv[3] === 'userinfo',
  pkce: { required: () => true },
  features: {
    devInteractions: { enabled: false },
    deviceFlow: { enabled: true },
    registration: { enabled: true, idFactory: (ctx) => ctx.oidc.body.client_name },
  },
  findAccount: (_, id) => ({
    accountId: id,
    claims: () => ({ sub: id, preferred_username: id, groups: ['engineers', 'weir-team'], ...people.get(id) }),
  }),
  interactions: { url: (_, interaction) => `/interaction/${interaction.uid}` },
});

provider.registerGrantType(
  'urn:test:job',
  async (ctx) => {
    const { sub, claims } = ctx.oidc.params;
    const token = new provider.IdToken({ sub }, { ctx });
    token.scope = 'openid';
    for (const [name, value] of Object.entries(JSON.parse(claims ?? '{}'))) token.set(name, value);
    ctx.body = { id_token: await token.issue({ use: 'idtoken' }) };
  },
  ['sub', 'claims'],
);

/// Has whoever is named by `login_hint` sign in, and agree to all that is asked.
async function interact(request, response) {
  const { prompt, params, session } = await provider.interactionDetails(request, response);
  if (prompt.name === 'login') {
    const login = { accountId: params.login_hint ?? 'ann' };
    return provider.interactionFinished(request, response, { login }, { mergeWithLastSubmission: false });
  }
  const grant = new provider.Grant({ accountId: session.accountId, clientId: params.client_id });
  grant.addOIDCScope(prompt.details.missingOIDCScope?.join(' ') ?? 'openid');
  const consent = { grantId: await grant.save() };
  return provider.interactionFinished(request, response, { consent }, { mergeWithLastSubmission: true });
}

/// A token that must not be believed, or only because its key is the provider's.
async function forged({ how, claims }) {
  const now = Math.floor(Date.now() / 1000);
  const said = { iss: issuer, sub: 'job', iat: now, exp: now + 600, jti: randomUUID(), ...claims };
  const encoded = (part) => Buffer.from(JSON.stringify(part)).toString('base64url');
  const sign = (header, by) => new jose.SignJWT(said).setProtectedHeader(header).sign(by);
  switch (how) {
    case 'key':
      return sign({ alg: 'RS256', kid }, privateKey);
    case 'none':
      return `${encoded({ alg: 'none', kid })}.${encoded(said)}.`;
    case 'hs256': {
      // What takes the public key for a secret believes this.
      const text = `${encoded({ alg: 'HS256', kid })}.${encoded(said)}`;
      return `${text}.${createHmac('sha256', await jose.exportSPKI(publicKey)).update(text).digest('base64url')}`;
    }
    case 'other-key':
      return sign({ alg: 'RS256', kid }, (await jose.generateKeyPair('RS256')).privateKey);
    default:
      return sign({ alg: 'RS256', kid: 'unknown' }, privateKey);
  }
}

const answer = provider.callback();
server.on('request', async (request, response) => {
  // It leads on to where it was asked; whoever asks in a test calls it otherwise.
  request.headers.host = new URL(issuer).host;
  if (['/forge', '/people'].includes(request.url)) {
    let body = '';
    for await (const part of request) body += part;
    const said = JSON.parse(body);
    if (request.url === '/forge') return response.end(await forged(said));
    people.set(said.sub, said.claims);
    return response.end();
  }
  if (request.url.startsWith('/interaction/')) {
    return interact(request, response).catch((error) => response.writeHead(500).end(String(error)));
  }
  return answer(request, response);
});
// Whoever started it reads this line, and none of the warnings that come later.
process.stdout.on('error', () => {});
console.log(issuer);
process.stdin.on('end', () => process.exit(0)).resume();
