import assert from 'node:assert/strict';
import { once } from 'node:events';
import { renameSync } from 'node:fs';
import { chmod, cp, mkdir, readdir, readFile, rename, rm, truncate, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { test } from 'node:test';
import { isFullBudget } from './budget.ts';
import { prove } from './support/proof.ts';
import { tempDir } from './support/temp-dir.ts';
import { cheapNear, dumped, near, sceneAt, type Scene } from './support/verifying.ts';

type Outcome = 'failed' | 'could not verify';

interface Damage {
  readonly what: string;
  readonly outcome: Outcome;
  /** Given the folder of the repository; the scene's is above it. */
  readonly inflict: (repository: string) => Promise<void>;
}

const policy = `${near}components:
  docs:
    files: { paths: [DIR/data] }
    backups: { hourly: { every: 1h, to: { near: { keep: { last: 9 } } } } }
`;

async function filesIn(repository: string, kind: string): Promise<readonly string[]> {
  const found = await readdir(join(repository, kind), { recursive: true, withFileTypes: true });
  return found
    .filter((one) => one.isFile())
    .map(({ parentPath, name }) => join(parentPath, name))
    .toSorted();
}

type Change = (path: string, bytes: Buffer) => Promise<void>;

const changes: Readonly<Record<string, Change>> = {
  'lost': async (path) => await rm(path, { force: true }),
  'empty': async (path) => await truncate(path, 0),
  'torn': async (path, { length }) => await truncate(path, Math.floor(length / 2)),
  'flipped at its start': async (path, bytes) => await writeFile(path, flipped(bytes, 3)),
  'flipped in its midst': async (path, bytes) => await writeFile(path, flipped(bytes, Math.floor(bytes.length / 3))),
  'zeros': async (path, { length }) => await writeFile(path, Buffer.alloc(length)),
};

function flipped(bytes: Buffer, at: number): Buffer {
  const changed = Buffer.from(bytes);
  changed[at] = (changed[at] ?? 0) ^ 0x10;
  return changed;
}

/** Every file of a kind, in every way. */
function changed(kind: string, what: string, outcome: Outcome): readonly Damage[] {
  return Object.entries(changes).map(([how, change]) => ({
    what: `${what} ${how}`,
    outcome,
    inflict: async (repository) => {
      const files = kind === 'config' ? [join(repository, kind)] : await filesIn(repository, kind);
      assert.notEqual(files.length, 0);
      for (const file of files) {
        await chmod(file, 0o600);
        await change(file, await readFile(file));
      }
    },
  }));
}

const ofRepository: readonly Damage[] = [
  ...changed('data', 'packs', 'failed'),
  ...changed('index', 'index', 'failed'),
  ...changed('snapshots', 'snapshots', 'could not verify'),
  ...changed('keys', 'keys', 'could not verify'),
  ...changed('config', 'config', 'could not verify'),
  {
    what: 'packs swapped',
    outcome: 'failed',
    inflict: async (repository) => {
      const [one = '', other = ''] = await filesIn(repository, 'data');
      await rename(one, `${one}-`);
      await rename(other, one);
      await rename(`${one}-`, other);
    },
  },
  {
    what: 'no packs at all',
    outcome: 'failed',
    inflict: async (at) => await rm(join(at, 'data'), { recursive: true }),
  },
  { what: 'gone', outcome: 'could not verify', inflict: async (at) => await rm(at, { recursive: true }) },
  {
    what: 'a file in its place',
    outcome: 'could not verify',
    inflict: async (at) => {
      await rm(at, { recursive: true });
      await writeFile(at, '');
    },
  },
  {
    what: 'another password',
    outcome: 'could not verify',
    inflict: async (at) => await writeFile(`${at}/../password`, 'wrong'),
  },
  { what: 'no password', outcome: 'could not verify', inflict: async (at) => await rm(`${at}/../password`) },
  {
    what: 'no place to restore to',
    outcome: 'could not verify',
    inflict: async (at) => {
      await rm(`${at}/../state`, { recursive: true, force: true });
      await mkdir(`${at}/../state`);
      await writeFile(`${at}/../state/sandboxes`, '');
    },
  },
  {
    what: 'gone midway',
    outcome: 'could not verify',
    // All repositories are asked for their points at the same time, and copies are restored once all have answered:
    // another one answers late, and takes this one away before.
    inflict: async (at) => {
      let asked = false;
      const server = createServer((_, response) => {
        response.writeHead(403);
        setTimeout(() => {
          if (!asked) renameSync(at, `${at}-away`);
          asked = true;
          response.end();
        }, 1500);
      }).unref();
      await once(server.listen(0, '127.0.0.1'), 'listening');
      const { port } = server.address() as AddressInfo;
      const file = join(at, '../holdfast.yaml');
      const text = await readFile(file, 'utf8');
      const late = `  late: { url: "rest:http://127.0.0.1:${port}/", password: { file: ${join(at, '../password')} } }\n`;
      const more = text
        .replace('components:', `${late}components:`)
        .replace('to: { near', 'to: { late: { keep: { last: 9 } }, near');
      await writeFile(file, more);
    },
  },
];

test('no damage of a repository is ever verified, and what accuses no copy fails none', async (context) => {
  await using dir = await tempDir();
  const healthy = dir.file('healthy');
  await cheapNear(healthy);
  await mkdir(join(healthy, 'data'));
  for (const name of ['one', 'two', 'three']) await writeFile(join(healthy, 'data', name), name.repeat(5000));
  const first = await sceneAt(healthy, policy);
  await first.ok('backup', 'docs', '--no-cache');
  assert.equal((await first.verified('docs')).code, 0);
  const damages = ofRepository.filter((_, at) => isFullBudget || at % 2 === 0 || at > 30);
  for (const [at, damage] of damages.entries()) {
    const folder = dir.file(String(at));
    await cp(healthy, folder, { recursive: true, filter: (path) => !/\/(?:state|cache)$/.test(path) });
    const scene = await sceneAt(folder, policy);
    await damage.inflict(join(folder, 'near'));
    await assertOutcome(scene, damage);
  }
  prove(context, { claim: 'no damage of a repository is verified', count: `${damages.length} damages` });
});

async function assertOutcome(scene: Scene, { what, outcome }: Damage): Promise<void> {
  const { code, all } = await scene.verified('docs');
  assert.deepEqual(
    all.map(({ state }) => state),
    [outcome],
    `${what}: ${JSON.stringify(all)}`,
  );
  assert.equal(code, outcome === 'failed' ? 4 : 5, what);
}

/** A sound dump of a shop with three orders, and how it is loaded and checked. */
const sound = 'shop\\norder 1\\norder 2\\norder 3\\nend\\n';
const load = "sh -c 'cat >db; tail -n 1 db | grep -qx end'";
const check = "sh -c 'head -n 1 db | grep -qx shop'";
const orders = '{ name: orders, command: "grep -c ^order db", at-least: 3 }';

interface Tried {
  readonly outcome: Outcome | 'verified';
  readonly dump?: string;
  readonly start?: string;
  readonly load?: string;
  readonly check?: string;
  readonly checks?: string;
  readonly more?: string;
}

const ofCommands: Readonly<Record<string, Tried>> = {
  'dump-cut': { outcome: 'failed', dump: 'shop\\norder 1\\norder 2\\nord' },
  'dump-cut-at-a-line': { outcome: 'failed', dump: 'shop\\norder 1\\n' },
  'dump-of-one-byte': { outcome: 'failed', dump: 's' },
  'dump-of-another': { outcome: 'failed', dump: 'blog\\norder 1\\norder 2\\norder 3\\nend\\n' },
  'dump-garbage': { outcome: 'failed', dump: '\\001\\002\\377\\000xyz' },
  'dump-an-error': { outcome: 'failed', dump: 'could not connect to server\\n' },
  'dump-fewer-rows': { outcome: 'failed', dump: 'shop\\norder 1\\nend\\n' },
  'dump-without-rows': { outcome: 'failed', dump: 'shop\\nend\\n' },
  'dump-in-other-order': { outcome: 'failed', dump: 'end\\nshop\\norder 1\\norder 2\\norder 3\\n' },
  'check-says-no': { outcome: 'failed', check: 'false' },
  'check-says-128': { outcome: 'failed', check: "sh -c 'exit 128'" },
  'check-dies-of-perl': { outcome: 'failed', check: "sh -c 'exit 255'" },
  'check-lacks-something': { outcome: 'could not verify', check: "sh -c 'exit 75'" },
  'check-not-there': { outcome: 'could not verify', check: 'no-such-check' },
  'check-killed': { outcome: 'could not verify', check: "sh -c 'kill -9 $$'" },
  'asked-says-no': { outcome: 'failed', checks: '{ name: no, command: "false" }' },
  'asked-not-there': { outcome: 'could not verify', checks: '{ name: no, command: no-such-program }' },
  'asked-other': { outcome: 'failed', checks: '{ name: head, command: "head -n 1 db", equals: blog }' },
  'asked-no-number': { outcome: 'failed', checks: '{ name: head, command: "head -n 1 db", at-least: 1 }' },
  'asked-nothing-said': { outcome: 'failed', checks: '{ name: quiet, command: "true", at-least: 0 }' },
  'asked-too-old': { outcome: 'failed', checks: '{ name: t, command: "echo 2001-01-01T00:00:00Z", within: 1h }' },
  'asked-no-time': { outcome: 'could not verify', checks: '{ name: t, command: "echo yesterday", within: 1h }' },
  'asked-sql': { outcome: 'could not verify', checks: '{ name: q, sql: "select 1" }' },
  'asked-http-nobody': { outcome: 'could not verify', checks: '{ name: h, http: "http://127.0.0.1:1/" }' },
  'asked-http-no-address': { outcome: 'could not verify', checks: '{ name: h, http: /health }' },
  'start-fails': { outcome: 'could not verify', start: 'false' },
  'start-not-there': { outcome: 'could not verify', start: 'no-such-service' },
  'load-not-there': { outcome: 'could not verify', load: 'no-such-loader' },
  'load-can-not-be-run': { outcome: 'could not verify', load: '/etc/passwd' },
  'load-killed': { outcome: 'could not verify', load: "sh -c 'kill -15 $$'" },
  'load-lacks-something': { outcome: 'could not verify', load: "sh -c 'exit 75'" },
};

/** As above, where little is to be had; all of these want more. */
const ofLimits: Readonly<Record<string, Tried>> = {
  'start-takes-too-long': { outcome: 'could not verify', start: 'sleep 1000' },
  'load-takes-too-long': { outcome: 'could not verify', load: 'sleep 1000' },
  'load-fills-the-disk': { outcome: 'could not verify', load: "sh -c 'head -c 99000000 /dev/zero >fill'" },
  'load-wants-memory': {
    outcome: 'could not verify',
    load: 'sh -c \'x=$(head -c 30000000 /dev/zero | tr "\\\\0" x); x=$x$x$x$x$x; kill -9 $$\'',
  },
};

/** Every case of a full run; of a sample those that stand for the others. */
function casesOf(all: Readonly<Record<string, Tried>>): readonly (readonly [string, Tried])[] {
  return Object.entries(all).filter((_, at) => isFullBudget || at % 6 === 0);
}

test('no damage of a dump, of its check or of what it needs is ever verified', async (context) => {
  const [wide, narrow] = [casesOf(ofCommands), casesOf(ofLimits)];
  await assertTried('', [...wide, ['healthy', { outcome: 'verified' }]]);
  await assertTried('sandbox: { memory: 64MiB, disk: 64MiB, time: 2s }\n', narrow);
  prove(context, {
    claim: 'no damage of a dump, of its check or of what it needs is verified',
    count: `${wide.length + narrow.length} damages`,
  });
});

async function assertTried(limits: string, cases: readonly (readonly [string, Tried])[]): Promise<void> {
  await using dir = await tempDir();
  await cheapNear(dir.path);
  const components = cases.map(([name, tried]) => component(name, tried)).join('');
  const scene = await sceneAt(dir.path, `${limits}${near}components:\n${components}`);
  for (const [name, { outcome }] of cases) {
    await scene.ok('backup', name);
    const { all } = await scene.verified(name);
    assert.deepEqual(
      all.map(({ state }) => state),
      [outcome],
      `${name}: ${JSON.stringify(all)}`,
    );
  }
}

function component(name: string, tried: Tried): string {
  const quoted = (line: string): string => JSON.stringify(line);
  const start = tried.start === undefined ? '' : `, start: ${quoted(tried.start)}`;
  const more = `${start}, load: ${quoted(tried.load ?? load)}, check: ${quoted(tried.check ?? check)}`;
  return dumped(name, `printf '${tried.dump ?? sound}'`, more, tried.checks ?? orders);
}

test('an empty dump that is not allowed any more has failed', async () => {
  await using dir = await tempDir();
  await cheapNear(dir.path);
  const at = (more: string): string => `${near}components:\n${dumped('db', 'true', `, load: cat${more}`)}`;
  const allowed = await sceneAt(dir.path, at(', allow-empty: true'));
  await allowed.ok('backup', 'db');
  assert.equal((await allowed.verified('db')).code, 0);
  const refused = await sceneAt(dir.path, at(''));
  assert.equal((await refused.verified('db')).code, 4);
  const renamed = await sceneAt(dir.path, at(', allow-empty: true, filename: other'));
  assert.equal((await renamed.verified('db')).code, 5);
});
