import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { test } from 'node:test';
import { fromTemporaryCredentials } from '@aws-sdk/credential-providers';
import { systemClock } from '../src/clock/clock.ts';
import { retry } from '../src/flow/retry.ts';
import { openStorage } from '../src/storage/open.ts';
import { withoutGo } from './servers/go-program.ts';
import { minio } from './servers/minio.ts';
import { httpProxy, type Asked, type InjectedAnswer } from './servers/proxy.ts';
import { ownerKeys, type S3Server } from './servers/s3-server.ts';
import { holdfastOk, runHoldfast, type RepositoryAt } from './support/holdfast.ts';
import { s3Refusal } from './support/s3-answers.ts';
import { tempDir, type TempDir } from './support/temp-dir.ts';
import { cheapRepositoryAt } from './support/two-tools.ts';

const skip = withoutGo();
const timeout = 240_000;

/** Credentials with a session token, as a role gives them. */
interface Session {
  readonly id: string;
  readonly secret: string;
  readonly token: string;
}

/** MinIO answers a little before it knows its owner. */
const patience = { attempts: 20, baseMs: 100, maxMs: 500, jitter: 0, clock: systemClock, retryable: () => true };

async function session({ endpoint }: S3Server): Promise<Session> {
  const credentials = fromTemporaryCredentials({
    masterCredentials: { accessKeyId: ownerKeys.id, secretAccessKey: ownerKeys.secret },
    params: { RoleArn: 'arn:aws:iam::000000000000:role/holdfast', RoleSessionName: 'test' },
    clientConfig: { region: 'us-east-1', endpoint },
  });
  const { accessKeyId, secretAccessKey, sessionToken } = await retry(patience, () => credentials());
  return { id: accessKeyId, secret: secretAccessKey, token: sessionToken ?? '' };
}

/** How a session is found: what is written into a folder, and the variables that lead there. */
interface Source {
  readonly name: string;
  readonly write: (dir: TempDir, session: Session) => void;
  readonly environment: (dir: TempDir) => Readonly<Record<string, string>>;
}

const profile: Source = {
  name: 'a profile',
  write: (dir, { id, secret, token }) =>
    writeFileSync(
      dir.file('credentials'),
      `[backup]\naws_access_key_id=${id}\naws_secret_access_key=${secret}\naws_session_token=${token}\n`,
    ),
  environment: (dir) => ({ AWS_PROFILE: 'backup', AWS_SHARED_CREDENTIALS_FILE: dir.file('credentials') }),
};

const program: Source = {
  name: 'a program',
  write: (dir, { id, secret, token }) => {
    const told = { Version: 1, AccessKeyId: id, SecretAccessKey: secret, SessionToken: token };
    writeFileSync(dir.file('told'), JSON.stringify(told));
    writeFileSync(dir.file('config'), `[profile backup]\ncredential_process = cat ${dir.file('told')}\n`);
  },
  environment: (dir) => ({
    AWS_PROFILE: 'backup',
    AWS_CONFIG_FILE: dir.file('config'),
    AWS_SHARED_CREDENTIALS_FILE: dir.file('none'),
  }),
};

/** A server that takes a session until the first pack of data arrives, and not from then on. */
interface Expiring extends AsyncDisposable {
  readonly at: RepositoryAt;
  readonly old: Session;
  readonly renewed: Session;
  /** From now on the first pack ends the old session. */
  readonly arm: (onExpiry: () => void) => void;
  /** Requests by the old session that were refused. */
  readonly refused: () => number;
}

async function expiring(): Promise<Expiring> {
  await using starting = new AsyncDisposableStack();
  const server = starting.use(await minio());
  const [old, renewed] = [await session(server), await session(server)];
  let state: 'good' | 'armed' | 'expired' = 'good';
  let expire = (): void => undefined;
  let refused = 0;
  const refuse = ({ method, url = '', headers }: Asked): InjectedAnswer | undefined => {
    if (headers['x-amz-security-token'] !== old.token) return undefined;
    if (state === 'armed' && method === 'PUT' && url.includes('/data/')) {
      state = 'expired';
      expire();
    }
    if (state !== 'expired') return undefined;
    refused++;
    return s3Refusal(400, 'ExpiredToken');
  };
  const proxy = starting.use(await httpProxy(server.running.port, refuse));
  const started = starting.move();
  return {
    at: { repository: `s3:http://127.0.0.1:${proxy.port}/bucket`, password: 'secret' },
    old,
    renewed,
    arm: (onExpiry) => {
      state = 'armed';
      expire = onExpiry;
    },
    refused: () => refused,
    [Symbol.asyncDispose]: () => started.disposeAsync(),
  };
}

for (const source of [profile, program]) {
  test(
    `credentials of ${source.name} that expire during a backup are asked for anew, and it goes on`,
    { skip, timeout },
    async () => {
      await using on = await expiring();
      await using dir = await tempDir();
      source.write(dir, on.old);
      const options = { cwd: dir.path, env: source.environment(dir) };
      writeFileSync(dir.file('large'), randomBytes(6 * 1024 * 1024));
      await cheapRepositoryAt(on.at.repository, { environment: options.env });
      on.arm(() => source.write(dir, on.renewed));
      await holdfastOk(on.at, ['backup', '--pack-size', '4', 'large'], options);
      assert.ok(on.refused() >= 1 && on.refused() <= 10, `${on.refused()} refused`);
      await holdfastOk(on.at, ['check', '--read-data'], options);
    },
  );
}

function keysOf({ id, secret, token }: Session): Readonly<Record<string, string>> {
  return { AWS_ACCESS_KEY_ID: id, AWS_SECRET_ACCESS_KEY: secret, AWS_SESSION_TOKEN: token };
}

test(
  'credentials that expire and can’t be renewed end a backup at once; the next one goes on from there',
  { skip, timeout },
  async () => {
    await using on = await expiring();
    await using dir = await tempDir();
    const options = { cwd: dir.path, env: keysOf(on.old) };
    writeFileSync(dir.file('large'), randomBytes(6 * 1024 * 1024));
    await cheapRepositoryAt(on.at.repository, { environment: options.env });
    await holdfastOk(on.at, ['backup', 'large'], options);
    on.arm(() => undefined);
    writeFileSync(dir.file('other'), randomBytes(6 * 1024 * 1024));
    const ended = await runHoldfast(on.at, ['backup', '--pack-size', '4', 'large', 'other'], options);
    assert.equal(ended.code, 1);
    assert.match(ended.stderr, /ExpiredToken/);
    assert.match(ended.stderr, /Renew the credentials, then run the command again: .* unharmed/);
    assert.doesNotMatch(ended.stderr, /trying again/);
    const renewed = { ...options, env: keysOf(on.renewed) };
    await holdfastOk(on.at, ['unlock'], renewed); // the backup that was refused couldn't
    await holdfastOk(on.at, ['backup', 'large', 'other'], renewed);
    await holdfastOk(on.at, ['check', '--read-data'], renewed);
    assert.match(await holdfastOk(on.at, ['snapshots'], renewed), /\b2 snapshots/);
  },
);

test('an expiry is told also where the refusal has no words, and while listing', { skip, timeout }, async () => {
  await using on = await expiring();
  const url = on.at.repository;
  await using storage = await openStorage(url, { create: true, environment: keysOf(on.old) });
  await storage.put('config', [Buffer.from('x')]);
  on.arm(() => undefined);
  const refused = { code: 'storage-denied', message: /ExpiredToken/ };
  await assert.rejects(storage.put('data/ab/cd', [Buffer.from('x')]), refused);
  await assert.rejects(storage.stat('config'), refused);
  await assert.rejects(Array.fromAsync(storage.list('')), refused);
});
