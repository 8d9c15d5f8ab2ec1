import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, request, type RequestListener } from 'node:http';
import { test } from 'node:test';
import {
  PutBucketLifecycleConfigurationCommand,
  PutBucketPolicyCommand,
  PutObjectLockConfigurationCommand,
  S3Client,
  type LifecycleRule,
  type S3ClientConfig,
} from '@aws-sdk/client-s3';
import { policiesFor } from '../src/storage/policy.ts';
import { openS3 } from '../src/storage/s3.ts';
import { examineSetup } from '../src/storage/setup.ts';
import { withoutGo } from './servers/go-program.ts';
import { minio } from './servers/minio.ts';
import type { S3Server } from './servers/s3-server.ts';
import { versitygw } from './servers/versitygw.ts';
import { holdfastProgram } from './support/holdfast.ts';
import { runProgram } from './support/run-program.ts';
import { usersOf, type S3User } from './support/s3-users.ts';

const skip = withoutGo();

interface Told {
  readonly code: number | null;
  /** `state about: text`, without what is ok. */
  readonly troubles: readonly string[];
  readonly ok: readonly string[];
}

async function doctor(url: string, env: S3User, ...options: readonly string[]): Promise<Told> {
  const { code, stdout, stderr } = await runProgram(holdfastProgram, ['--json', 'doctor', 'storage', url, ...options], {
    env,
    timeoutMs: 180_000,
  });
  const lines = stdout.toString().split('\n');
  assert.ok(lines.length > 10, stderr);
  const records = lines
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Readonly<Record<string, unknown>>);
  const statements = records.filter((record) => record['message_type'] === 'statement');
  const ofState = (ok: (state: unknown) => boolean): readonly string[] =>
    statements
      .filter(({ state }) => ok(state))
      .map(({ about, state, text }) => `${String(state)} ${String(about)}: ${String(text)}`);
  return { code, troubles: ofState((state) => state !== 'ok'), ok: ofState((state) => state === 'ok') };
}

function clientOf({ endpoint, owner }: S3Server): S3Client {
  const { AWS_ACCESS_KEY_ID: accessKeyId = '', AWS_SECRET_ACCESS_KEY: secretAccessKey = '' } = owner;
  const config: S3ClientConfig = { endpoint, region: 'us-east-1', forcePathStyle: true };
  return new S3Client({ ...config, credentials: { accessKeyId, secretAccessKey } });
}

async function makeBucket({ endpoint, owner }: S3Server, bucket: string, locks: 'locks' | 'none'): Promise<void> {
  const options = new Map(locks === 'locks' ? [['s3.lock', '1h']] : []);
  const settings = { create: true, environment: owner, throttles: {}, options } as const;
  await using _made = await openS3(`${endpoint}/${bucket}`, settings);
}

async function setRules(client: S3Client, Bucket: string, Rules: LifecycleRule[]): Promise<void> {
  await client.send(new PutBucketLifecycleConfigurationCommand({ Bucket, LifecycleConfiguration: { Rules } }));
}

const all = { Status: 'Enabled', Filter: { Prefix: '' } } as const;

/** What is asked alone, without the trial. */
async function setupOf(address: string, env: S3User, lock?: string): Promise<readonly string[]> {
  const options = new Map(lock === undefined ? [] : [['s3.lock', lock]]);
  await using storage = await openS3(address, { environment: env, throttles: {}, options });
  const { statements } = await examineSetup(storage, {});
  return statements.map(({ about, state, text }) => `${state} ${about}: ${text}`);
}

const uploads = 'warning lifecycle: nothing but `prune` ends uploads in parts that were interrupted';
const noRules = 'ok lifecycle: no lifecycle rule touches what is current';

test(
  'doctor storage tells of a bucket on MinIO what endangers backups and what goes on costing',
  { skip },
  async () => {
    await using server = await minio();
    const { endpoint, owner } = server;
    await makeBucket(server, 'plain', 'none');
    await makeBucket(server, 'locks', 'locks');
    const client = clientOf(server);
    const [versioning, lock] = ['versioning: the bucket keeps no old versions', 'object-lock: Object Lock is off'];
    const plain = await setupOf(`${endpoint}/plain`, owner);
    assert.deepEqual(plain, [`warning ${versioning}`, `warning ${lock}`, noRules, uploads]);
    const lockless = await setupOf(`${endpoint}/plain`, owner, '30d');
    assert.deepEqual(lockless, [`failed ${versioning}`, `failed ${lock}`, noRules, uploads]);
    await setRules(client, 'locks', [
      { ...all, ID: 'old', NoncurrentVersionExpiration: { NoncurrentDays: 7 } },
      { ...all, ID: 'all', Filter: { Prefix: 'at/' }, Expiration: { Days: 90 } },
      { Status: 'Disabled', ID: 'off', Filter: { Prefix: '' }, Expiration: { Days: 1 } },
    ]);
    assert.deepEqual((await setupOf(`${endpoint}/locks/at`, owner, '30d')).slice(2), [
      'failed lifecycle: the lifecycle rule old removes old versions after 7 days',
      'failed lifecycle: the lifecycle rule all removes objects after 90 days',
      'warning lifecycle: nothing removes markers that hide nothing any more',
      uploads,
    ]);
    await setRules(client, 'locks', [
      { ...all, ID: 'old', NoncurrentVersionExpiration: { NoncurrentDays: 30 } },
      { ...all, ID: 'markers', Expiration: { ExpiredObjectDeleteMarker: true } },
    ]);
    client.destroy();
    const good = await doctor(`s3:${endpoint}/locks/at`, owner, '-o', 's3.lock=30d');
    assert.deepEqual([good.code, good.troubles], [0, [uploads]]);
    assert.ok(good.ok.includes('ok versioning: the bucket keeps old versions'));
    assert.ok(
      good.ok.includes('ok object-lock: Object Lock is on, and -o s3.lock locks for 30 days in compliance mode'),
    );
  },
);

test(
  'doctor storage measures no rates where the bucket locks what is stored, and says what stays',
  { skip },
  async () => {
    await using server = await minio();
    await makeBucket(server, 'locks', 'locks');
    const client = clientOf(server);
    const ObjectLockConfiguration = {
      ObjectLockEnabled: 'Enabled',
      Rule: { DefaultRetention: { Mode: 'GOVERNANCE', Days: 2 } },
    } as const;
    await client.send(new PutObjectLockConfigurationCommand({ Bucket: 'locks', ObjectLockConfiguration }));
    client.destroy();
    const { code, troubles } = await doctor(`s3:${server.endpoint}/locks`, server.owner);
    assert.equal(code, 3);
    assert.match(troubles[0] ?? '', /^warning object-lock: .*locks each object for 2 days in governance mode/);
    assert.ok(troubles.includes('unknown speed: how fast the storage moves data'));
    assert.match(troubles.at(-1) ?? '', /^warning clean-up: \d+ old versions of what was tried stay$/);
  },
);

test('what doctor storage may not ask is unknown, with an exit code of its own', { skip }, async () => {
  await using server = await minio();
  await makeBucket(server, 'bucket', 'locks');
  const policies = policiesFor(`s3:${server.endpoint}/bucket`);
  const { writer } = await usersOf(server, 'bucket', policies);
  const seeing = await setupOf(`${server.endpoint}/bucket`, writer, '1d');
  assert.deepEqual([seeing.length, seeing.filter((one) => one.startsWith('unknown'))], [6, []]);
  const asks = /:Get(?:BucketVersioning|BucketObjectLockConfiguration|LifecycleConfiguration)$/;
  const Statement = policies.writer.Statement.map((one) => ({
    ...one,
    Action: one.Action.filter((action) => !asks.test(action)),
  }));
  const blind = await usersOf(server, 'bucket', { ...policies, writer: { ...policies.writer, Statement } });
  const { code, troubles } = await doctor(`s3:${server.endpoint}/bucket`, blind.writer, '-o', 's3.lock=1d');
  assert.equal(code, 3);
  assert.deepEqual(troubles.slice(0, 3), [
    'unknown versioning: whether the bucket keeps old versions',
    'unknown object-lock: whether the bucket can lock objects',
    'unknown lifecycle: which lifecycle rules the bucket has',
  ]);
});

test('versitygw knows no lifecycle rules, which doctor storage takes for what it is', { skip }, async () => {
  await using server = await versitygw();
  await makeBucket(server, 'bucket', 'locks');
  const told = await setupOf(`${server.endpoint}/bucket`, server.owner);
  assert.deepEqual(
    told.map((line) => line.split(':')[0]),
    ['ok versioning', 'warning object-lock', 'ok lifecycle', ...Array.from({ length: 3 }, () => 'warning lifecycle')],
  );
  assert.ok(told.includes('ok lifecycle: the server knows no lifecycle rules'));
});

/** As Amazon writes them: the examples of its documentation. */
const amazonsRules = `<LifecycleConfiguration xmlns="http://s3.amazonaws.com/doc/2006-03-01/">
<Rule><ID>Archive and then delete rule</ID><Prefix>projectdocs/</Prefix><Status>Enabled</Status>
<Transition><Days>30</Days><StorageClass>STANDARD_IA</StorageClass></Transition>
<Transition><Days>365</Days><StorageClass>GLACIER</StorageClass></Transition>
<Expiration><Days>3650</Days></Expiration></Rule>
<Rule><ID>tagged</ID><Filter><And><Prefix>projectdocs/data/</Prefix><Tag><Key>k</Key><Value>v</Value></Tag></And></Filter>
<Status>Enabled</Status><Expiration><Date>2027-01-01T00:00:00.000Z</Date></Expiration></Rule>
<Rule><ID>clean</ID><Filter/><Status>Enabled</Status><NoncurrentVersionExpiration><NoncurrentDays>40</NoncurrentDays>
</NoncurrentVersionExpiration><AbortIncompleteMultipartUpload><DaysAfterInitiation>7</DaysAfterInitiation>
</AbortIncompleteMultipartUpload></Rule></LifecycleConfiguration>`;

async function answering(listener: RequestListener, body: (endpoint: string) => Promise<void>): Promise<void> {
  const server = createServer(listener);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  try {
    const address = server.address();
    assert.ok(typeof address === 'object' && address);
    await body(`http://127.0.0.1:${address.port}`);
  } finally {
    server.closeAllConnections();
    server.close();
  }
}

test('Amazon’s answers about versions, locks and lifecycle are understood, and its refusals', async () => {
  const answers: Readonly<Record<string, readonly [number, string]>> = {
    '?versioning=': [200, '<VersioningConfiguration><Status>Suspended</Status></VersioningConfiguration>'],
    '?object-lock=': [404, '<Error><Code>ObjectLockConfigurationNotFoundError</Code><Message>none</Message></Error>'],
    '?lifecycle=': [200, amazonsRules],
  };
  const environment = { AWS_ACCESS_KEY_ID: 'id', AWS_SECRET_ACCESS_KEY: 'key', AWS_REGION: 'us-east-1' };
  const serve: RequestListener = ({ url = '' }, response) => {
    const [status, text] = Object.entries(answers).find(([query]) => url.includes(query))?.[1] ?? [501, ''];
    response.writeHead(status, { 'content-type': 'application/xml', 'date': new Date().toUTCString() });
    response.end(text);
  };
  await answering(serve, async (endpoint) => {
    assert.deepEqual(await setupOf(`${endpoint}/bucket/projectdocs`, environment), [
      'warning versioning: the bucket has stopped keeping old versions',
      'warning object-lock: Object Lock is off',
      'failed lifecycle: the lifecycle rule Archive and then delete rule removes objects after 3650 days',
      'failed lifecycle: the lifecycle rule Archive and then delete rule moves objects into GLACIER',
      'warning lifecycle: the lifecycle rule tagged removes objects with tags on 2027-01-01',
      'warning lifecycle: nothing removes markers that hide nothing any more',
    ]);
  });
});

test('a server that ignores conditions is found out, and what follows is said', { skip }, async () => {
  await using server = await minio();
  await makeBucket(server, 'bucket', 'none');
  const client = clientOf(server);
  const Statement = [
    { Effect: 'Allow', Principal: '*', Action: 's3:*', Resource: ['arn:aws:s3:::bucket', 'arn:aws:s3:::bucket/*'] },
  ];
  const Policy = JSON.stringify({ Version: '2012-10-17', Statement });
  await client.send(new PutBucketPolicyCommand({ Bucket: 'bucket', Policy }));
  client.destroy();
  // Unsigned requests can be changed on the way.
  const forgetting: RequestListener = (asked, response) => {
    const { 'if-none-match': _ignored, ...headers } = asked.headers;
    const { method, url } = asked;
    const onward = request({ host: '127.0.0.1', port: server.running.port, method, path: url, headers }, (answer) => {
      response.writeHead(answer.statusCode ?? 502, answer.headers);
      answer.pipe(response);
    });
    asked.pipe(onward);
  };
  await answering(forgetting, async (endpoint) => {
    const { code, troubles } = await doctor(`s3:${endpoint}/bucket`, {}, '-o', 's3.unsafe-anonymous-auth=true');
    assert.equal(code, 1);
    assert.ok(troubles.includes('failed promise: ifAbsent leaves an object that is there as it is'));
    assert.ok(troubles.includes('failed promise: of many that create one object at once, exactly one succeeds'));
  });
});
