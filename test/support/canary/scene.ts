import { chmod, mkdir, writeFile } from 'node:fs/promises';
import type { TempDir } from '../temp-dir.ts';
import { cheapRepository } from '../two-tools.ts';
import { canaryOf, type Canary } from './canaries.ts';

/** A secret each, in every place that a policy and its surroundings have for one. */
export const canaries = {
  near: canaryOf('password of near, a file'),
  far: canaryOf('password of far, a command'),
  shelf: canaryOf('password of shelf, a credential'),
  safe: canaryOf('password of safe, a variable'),
  bucket: canaryOf('password of bucket', 'header'),
  keyId: canaryOf('key ID', 'plain'),
  secretKey: canaryOf('secret key', 'header'),
  token: canaryOf('session token', 'header'),
  removerKey: canaryOf('secret key of who removes', 'header'),
  removerToken: canaryOf('session token of who removes', 'header'),
  profile: canaryOf('secret key of a profile', 'header'),
  profileToken: canaryOf('session token of a profile', 'header'),
  pruner: canaryOf('secret key of a remover’s profile', 'header'),
  user: canaryOf('password of the REST server', 'url'),
  login: canaryOf('passphrase for SSH', 'plain'),
  database: canaryOf('password of a database', 'plain'),
  address: canaryOf('password in a database’s address', 'plain'),
  mail: canaryOf('password of a mail server', 'plain'),
  wrong: canaryOf('a wrong password'),
} as const satisfies Readonly<Record<string, Canary>>;

/** A team's host: repositories of every kind, components that succeed and fail, and a secret in every place. */
export interface CanaryScene {
  readonly dir: TempDir;
  /** All of the environment. */
  readonly env: Readonly<Record<string, string>>;
  /** What every command line begins with: where cache and state stand. */
  readonly args: readonly string[];
  /** Where secrets are meant to be. */
  readonly homes: readonly string[];
  readonly policy: string;
}

const local = ['near', 'far', 'shelf', 'safe'] as const;

/** `endpoint` is that of the server behind each address elsewhere. */
export async function canaryScene(dir: TempDir, endpoint: string): Promise<CanaryScene> {
  for (const folder of ['secrets', 'credentials', 'data', 'bin', 'home', 'tmp', 'state', 'cache'])
    await mkdir(dir.file(folder), { mode: 0o700 });
  for (const name of local) await cheapRepository(dir.file(name), 2, canaries[name].value);
  await writeFile(dir.file('data/file'), 'some data\n');
  await writeSecrets(dir);
  await writePrograms(dir);
  const policy = policyText(dir, endpoint);
  await writeFile(dir.file('holdfast.yaml'), policy);
  return {
    dir,
    env: environment(dir),
    args: ['--cache-dir', dir.file('cache'), '--state-dir', dir.file('state')],
    homes: [dir.file('secrets'), dir.file('credentials')],
    policy,
  };
}

async function writeSecrets(dir: TempDir): Promise<void> {
  const write = async (name: string, text: string): Promise<void> =>
    await writeFile(dir.file(name), `${text}\n`, { mode: 0o600 });
  for (const name of ['near', 'far', 'secretKey', 'user'] as const)
    await write(`secrets/${name}`, canaries[name].value);
  await write('credentials/shelf', canaries.shelf.value);
  const profile = (name: string, key: Canary, token: Canary): string =>
    `[${name}]\naws_access_key_id = AKIA${name}\naws_secret_access_key = ${key.value}\naws_session_token = ${token.value}\n`;
  const { profile: writer, profileToken, pruner, removerToken } = canaries;
  await write('secrets/aws', profile('writer', writer, profileToken) + profile('pruner', pruner, removerToken));
}

/** What is run as a child says all that it was given, as a careless one does. */
const says = 'env >&2; echo "given: $*" >&2; printf "%s\\n" "postgres://ann:$ADDRESS_PASSWORD@db/shop?sslmode=on" >&2';

async function writePrograms(dir: TempDir): Promise<void> {
  const write = async (name: string, lines: string): Promise<void> => {
    await writeFile(dir.file('bin', name), `#!/bin/sh\n${lines}\n`);
    await chmod(dir.file('bin', name), 0o755);
  };
  await write('dump', `${says}; echo a dump`);
  await write('broken', `${says}; echo half a dump; exit 3`);
  await write('connect', `${says}; echo Permission denied >&2; exit 255`);
  await write('service', `${says}; exit 0`);
}

function environment(dir: TempDir): CanaryScene['env'] {
  return {
    PATH: process.env['PATH'] ?? '',
    HOME: dir.file('home'),
    TMPDIR: dir.file('tmp'),
    XDG_CACHE_HOME: dir.file('home/cache'),
    CREDENTIALS_DIRECTORY: dir.file('credentials'),
    AWS_SHARED_CREDENTIALS_FILE: dir.file('secrets/aws'),
    AWS_CONFIG_FILE: dir.file('secrets/none'),
    AWS_EC2_METADATA_DISABLED: 'true',
    SAFE_PASSWORD: canaries.safe.value,
    BUCKET_PASSWORD: canaries.bucket.value,
    WRITER_ID: canaries.keyId.value,
    WRITER_TOKEN: canaries.token.value,
    REMOVER_KEY: canaries.removerKey.value,
    REMOVER_TOKEN: canaries.removerToken.value,
    SSH_PASSPHRASE: canaries.login.value,
    PGPASSWORD: canaries.database.value,
    ADDRESS_PASSWORD: canaries.address.value,
    SMTP_URL: `smtp://ops:${canaries.mail.value}@mail.example.com`,
  };
}

function policyText(dir: TempDir, endpoint: string): string {
  const elsewhere = ['bucket', 'desk', 'rest', 'shell'];
  const keep = 'keep: { last: 9 }';
  const to = (names: readonly string[]): string => `to: { ${names.map((name) => `${name}: { ${keep} }`).join(', ')} }`;
  const rule = (names: readonly string[]): string => `backups: { hourly: { every: 1h, ${to(names)} } }`;
  const bin = (name: string): string => dir.file('bin', name);
  const secret = (name: string): string => `{ file: ${dir.file('secrets', name)} }`;
  return `version: 1
repositories:
  near:  { url: ${dir.file('near')}, password: ${secret('near')} }
  far:   { url: ${dir.file('far')}, password: { command: "cat ${dir.file('secrets/far')}" } }
  shelf: { url: ${dir.file('shelf')}, password: { credential: shelf } }
  safe:  { url: ${dir.file('safe')}, password: { env: SAFE_PASSWORD } }
  bucket:
    url: "s3:${endpoint}/bucket"
    password: { env: BUCKET_PASSWORD }
    credentials: { key-id: { env: WRITER_ID }, secret-key: ${secret('secretKey')}, session-token: { env: WRITER_TOKEN } }
    delete-credentials: { key-id: { env: WRITER_ID }, secret-key: { env: REMOVER_KEY }, session-token: { env: REMOVER_TOKEN } }
  desk:
    url: "s3:${endpoint}/desk"
    password: ${secret('near')}
    credentials: { profile: writer }
    delete-credentials: { profile: pruner }
  rest:
    url: "rest:${endpoint}/team/"
    password: ${secret('near')}
    credentials: { user: { env: WRITER_ID }, password: ${secret('user')} }
  shell: { url: "sftp:host:/srv", password: { env: SAFE_PASSWORD }, options: { sftp.command: "${bin('connect')} host" } }
components:
  files:
    files: { paths: [${dir.file('data')}] }
    ${rule(['near', 'far', 'shelf', 'safe'])}
    verify: [{ every: 1d, from: each, do: data }]
    restore: { stop: "${bin('service')} stop", start: "${bin('service')} start" }
  remote:
    files: { paths: [${dir.file('data')}] }
    ${rule(['near', ...elsewhere])}
  dump:
    command: { dump: "${bin('dump')} --all", load: "cat", check: "sh -c 'env; exit 1'" }
    ${rule(['near'])}
  broken:
    command: { dump: "${bin('broken')} --all" }
    ${rule(['safe'])}
notify:
  ops: { email: { smtp: { env: SMTP_URL }, to: [ops@example.com] }, on: [failed] }
`;
}
