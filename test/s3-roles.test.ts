import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import type { IncomingMessage, RequestListener } from 'node:http';
import { createServer } from 'node:https';
import { text } from 'node:stream/consumers';
import { test } from 'node:test';
import { openStorage } from '../src/storage/open.ts';
import { answering, type Answer } from './support/answering.ts';
import { certificate, withoutOpenssl } from './support/certificate.ts';
import { tempDir } from './support/temp-dir.ts';

/** The SDK's own sources read the process's environment. */
async function withEnvironment<T>(
  variables: Readonly<Record<string, string>>,
  task: (environment: Readonly<Record<string, string | undefined>>) => Promise<T>,
): Promise<T> {
  const former = { ...process.env };
  for (const name of Object.keys(process.env))
    if (/^(?:AWS|MINIO|HOLDFAST|RESTIC)_/.test(name)) delete process.env[name];
  Object.assign(process.env, variables);
  try {
    return await task({ ...process.env });
  } finally {
    process.env = former;
  }
}

interface Signed {
  readonly id: string | undefined;
  readonly token: string | string[] | undefined;
}

/** By whose key, and with which token, a bucket is asked in this environment. */
async function signer(variables: Readonly<Record<string, string>>, caFiles: readonly string[] = []): Promise<Signed> {
  return await withEnvironment(variables, async (environment) => {
    await using bucket = await answering((_, response) => response.end('x'));
    const options = new Map([['s3.region', 'eu-central-1']]);
    const tls = { caFiles, insecure: false };
    await using storage = await openStorage(`s3:${bucket.endpoint}/bucket`, { environment, options, tls });
    await storage.get('config', { maxBytes: 10 });
    const { authorization, 'x-amz-security-token': token } = bucket.requests[0]?.headers ?? {};
    return { id: /Credential=([^/]+)/.exec(authorization ?? '')?.[1], token };
  });
}

const given = { id: 'TEMPORARY', token: 'given-token' };
const expiration = '2100-01-01T00:00:00Z';
const asJson = JSON.stringify({
  ...{ Code: 'Success', Type: 'AWS-HMAC', AccessKeyId: given.id, SecretAccessKey: 'x', Token: given.token },
  Expiration: expiration,
});

/** As a security token service answers. */
function granting(asked: URLSearchParams[]): (request: IncomingMessage) => Promise<string> {
  return async (request) => {
    const form = new URLSearchParams(await text(request));
    asked.push(form);
    const action = form.get('Action') ?? '';
    return (
      `<${action}Response xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><${action}Result><Credentials>` +
      `<AccessKeyId>${given.id}</AccessKeyId><SecretAccessKey>x</SecretAccessKey>` +
      `<SessionToken>${given.token}</SessionToken><Expiration>${expiration}</Expiration>` +
      `</Credentials></${action}Result></${action}Response>`
    );
  };
}

test(
  'a role is assumed as restic does, at a server whose certificate --cacert names',
  { skip: withoutOpenssl },
  async () => {
    await using dir = await tempDir();
    const { cert, key } = await certificate(dir);
    const asked: URLSearchParams[] = [];
    const signers: (string | undefined)[] = [];
    const grant = granting(asked);
    const answer: RequestListener = (request, response) => {
      signers.push(/Credential=([^/]+\/\d+\/[^/]+\/[^/]+)/.exec(request.headers.authorization ?? '')?.[1]);
      grant(request).then(
        (body) => response.end(body),
        () => response.destroy(),
      );
    };
    const service = createServer({ cert: await readFile(cert), key: await readFile(key) }, answer);
    service.listen(0, '127.0.0.1');
    await once(service, 'listening');
    try {
      const address = service.address();
      const environment = {
        AWS_ACCESS_KEY_ID: 'OWN',
        AWS_SECRET_ACCESS_KEY: 'x',
        RESTIC_AWS_ASSUME_ROLE_ARN: 'arn:aws:iam::1:role/backup',
        RESTIC_AWS_ASSUME_ROLE_SESSION_NAME: 'session',
        RESTIC_AWS_ASSUME_ROLE_EXTERNAL_ID: 'external',
        RESTIC_AWS_ASSUME_ROLE_POLICY: '{"Version":"2012-10-17"}',
        RESTIC_AWS_ASSUME_ROLE_REGION: 'eu-west-3',
        RESTIC_AWS_ASSUME_ROLE_STS_ENDPOINT: `https://127.0.0.1:${typeof address === 'object' && address?.port}`,
      };
      assert.deepEqual(await signer(environment, [cert]), given);
      await assert.rejects(signer(environment), { code: 'storage-denied', message: /certificate/i });
    } finally {
      service.closeAllConnections();
      service.close();
    }
    const [form] = asked;
    assert.deepEqual(
      ['Action', 'RoleArn', 'RoleSessionName', 'ExternalId', 'Policy'].map((name) => form?.get(name)),
      ['AssumeRole', 'arn:aws:iam::1:role/backup', 'session', 'external', '{"Version":"2012-10-17"}'],
    );
    assert.match(signers[0] ?? '', /^OWN\/\d+\/eu-west-3\/sts$/);
  },
);

/** A server that grants what it is asked for over HTTP. */
const grantingServer =
  (asked: URLSearchParams[]): Answer =>
  (request, response) =>
    void granting(asked)(request).then((body) => response.end(body));

test('a token of the workload’s own (web identity) is exchanged for keys', async () => {
  await using dir = await tempDir();
  await writeFile(dir.file('token'), 'signed.by.the-cluster');
  const asked: URLSearchParams[] = [];
  await using service = await answering(grantingServer(asked));
  const found = await signer({
    AWS_WEB_IDENTITY_TOKEN_FILE: dir.file('token'),
    AWS_ROLE_ARN: 'arn:aws:iam::1:role/pod',
    AWS_ROLE_SESSION_NAME: 'pod',
    AWS_ENDPOINT_URL_STS: service.endpoint,
    AWS_CONFIG_FILE: dir.file('none'),
    AWS_SHARED_CREDENTIALS_FILE: dir.file('none'),
  });
  assert.deepEqual(found, given);
  assert.deepEqual(
    ['Action', 'RoleArn', 'RoleSessionName', 'WebIdentityToken'].map((name) => asked[0]?.get(name)),
    ['AssumeRoleWithWebIdentity', 'arn:aws:iam::1:role/pod', 'pod', 'signed.by.the-cluster'],
  );
  assert.equal(service.requests[0]?.headers.authorization, undefined);
});

test('a container’s role is asked for at its address, with its token', async () => {
  await using dir = await tempDir();
  await using service = await answering((_, response) => response.end(asJson));
  const found = await signer({
    AWS_CONTAINER_CREDENTIALS_FULL_URI: `${service.endpoint}/role`,
    AWS_CONTAINER_AUTHORIZATION_TOKEN: 'of-the-container',
    AWS_CONFIG_FILE: dir.file('none'),
    AWS_SHARED_CREDENTIALS_FILE: dir.file('none'),
  });
  assert.deepEqual(found, given);
  const [{ url, headers } = { url: '', headers: {} }] = service.requests;
  assert.deepEqual([url, headers.authorization], ['/role', 'of-the-container']);
});

test('a machine’s role is asked for with a session of its metadata service (IMDSv2)', async () => {
  await using dir = await tempDir();
  const folder = '/latest/meta-data/iam/security-credentials/';
  await using service = await answering(({ method, url, headers }, response) => {
    if (method === 'PUT' && url === '/latest/api/token') return void response.end('session');
    if (headers['x-aws-ec2-metadata-token'] !== 'session') return void response.writeHead(401).end();
    if (url === folder) return void response.end('of-the-machine');
    response.writeHead(url === `${folder}of-the-machine` ? 200 : 404).end(asJson);
  });
  const found = await signer({
    AWS_EC2_METADATA_SERVICE_ENDPOINT: service.endpoint,
    AWS_CONFIG_FILE: dir.file('none'),
    AWS_SHARED_CREDENTIALS_FILE: dir.file('none'),
  });
  assert.deepEqual(found, given);
});

test('a profile assumes a role with another profile’s keys, or asks a program', async () => {
  await using dir = await tempDir();
  const asked: URLSearchParams[] = [];
  await using service = await answering(grantingServer(asked));
  const output = JSON.stringify({ Version: 1, AccessKeyId: 'OF-A-PROGRAM', SecretAccessKey: 'x', SessionToken: 'its' });
  await writeFile(dir.file('output'), output);
  const lines = [
    ...['[profile role]', 'role_arn=arn:aws:iam::1:role/profile', 'source_profile=base', 'region=eu-west-1'],
    ...['[profile base]', 'aws_access_key_id=BASE', 'aws_secret_access_key=x'],
    ...['[profile program]', `credential_process=cat ${dir.file('output')}`],
  ];
  await writeFile(dir.file('config'), lines.join('\n'));
  const files = { AWS_CONFIG_FILE: dir.file('config'), AWS_SHARED_CREDENTIALS_FILE: dir.file('none') };
  const role = { ...files, AWS_PROFILE: 'role', AWS_ENDPOINT_URL_STS: service.endpoint };
  assert.deepEqual(await signer(role), given);
  assert.equal(asked[0]?.get('RoleArn'), 'arn:aws:iam::1:role/profile');
  assert.match(service.requests[0]?.headers.authorization ?? '', /Credential=BASE\//);
  assert.deepEqual(await signer({ ...files, AWS_PROFILE: 'program' }), { id: 'OF-A-PROGRAM', token: 'its' });
});

test('the session of a single sign-on is exchanged for keys', async () => {
  await using dir = await tempDir();
  const start = 'https://sign-on.example.com/start';
  const lines = [
    ...['[profile sso]', `sso_start_url=${start}`, 'sso_region=eu-west-1', 'sso_account_id=1', 'sso_role_name=backup'],
  ];
  await writeFile(dir.file('config'), lines.join('\n'));
  const cache = dir.file('.aws', 'sso', 'cache');
  await mkdir(cache, { recursive: true });
  const session = JSON.stringify({ accessToken: 'of-the-session', expiresAt: expiration });
  await writeFile(`${cache}/${createHash('sha1').update(start).digest('hex')}.json`, session);
  const roleCredentials = { accessKeyId: given.id, secretAccessKey: 'x', sessionToken: given.token, expiration: 4e12 };
  await using service = await answering((_, response) => response.end(JSON.stringify({ roleCredentials })));
  const found = await signer({
    HOME: dir.path,
    AWS_PROFILE: 'sso',
    AWS_CONFIG_FILE: dir.file('config'),
    AWS_SHARED_CREDENTIALS_FILE: dir.file('none'),
    AWS_ENDPOINT_URL_SSO: service.endpoint,
  });
  assert.deepEqual(found, given);
  const [{ url, headers } = { url: '', headers: {} }] = service.requests;
  assert.equal(url, '/federation/credentials?account_id=1&role_name=backup');
  assert.ok(
    Object.entries(headers).some(([name, value]) => name === 'x-amz-sso_bearer_token' && value === 'of-the-session'),
  );
});

test('the remover’s profile beside a writer’s keys is taken without a word', async (t) => {
  await using dir = await tempDir();
  await writeFile(dir.file('credentials'), '[remover]\naws_access_key_id = REMOVER\naws_secret_access_key = x\n');
  const said = t.mock.method(console, 'warn', () => undefined);
  await using bucket = await answering((_, response) => response.writeHead(204).end());
  const variables = {
    AWS_ACCESS_KEY_ID: 'WRITER',
    AWS_SECRET_ACCESS_KEY: 'x',
    AWS_SHARED_CREDENTIALS_FILE: dir.file('credentials'),
    AWS_CONFIG_FILE: dir.file('none'),
    HOLDFAST_DELETE_PROFILE: 'remover',
  };
  await withEnvironment(variables, async (environment) => {
    const options = new Map([['s3.region', 'any']]);
    await using storage = await openStorage(`s3:${bucket.endpoint}/bucket`, { environment, options });
    await storage.remove('locks/x');
    await storage.remove('config');
  });
  const ids = bucket.requests.map(({ headers }) => /Credential=([^/]+)/.exec(headers.authorization ?? '')?.[1]);
  assert.deepEqual(ids, ['WRITER', 'REMOVER']);
  assert.equal(said.mock.callCount(), 0);
});

test('no credentials at all are told so, soon and without a secret', { timeout: 300_000 }, async () => {
  await using dir = await tempDir();
  const variables = {
    AWS_CONFIG_FILE: dir.file('none'),
    AWS_SHARED_CREDENTIALS_FILE: dir.file('none'),
    AWS_EC2_METADATA_SERVICE_ENDPOINT: 'http://127.0.0.1:1',
  };
  await assert.rejects(signer(variables), { code: 'storage-denied', message: /no credentials were found/ });
});
