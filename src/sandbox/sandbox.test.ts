import assert from 'node:assert/strict';
import { once } from 'node:events';
import { chmod, chown, mkdir, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:net';
import { fileURLToPath } from 'node:url';
import { test } from 'node:test';
import { absent } from '../../test/absences.ts';
import { isFullBudget } from '../../test/budget.ts';
import { prove } from '../../test/support/proof.ts';
import { runOk } from '../../test/support/run-program.ts';
import { tempDir, type TempDir } from '../../test/support/temp-dir.ts';
import { systemClock } from '../clock/clock.ts';
import { hasCode } from '../errors/error.ts';
import { startProgram } from '../host/process.ts';
import { openSandbox, type CommandEnd, type Sandbox, type SandboxOptions } from './sandbox.ts';

const isRoot = process.getuid?.() === 0;
const worker = fileURLToPath(new URL('../../test/support/sandbox-worker.ts', import.meta.url));
const limits = { memoryBytes: 512 * 1024 * 1024, diskBytes: 2 ** 36, timeMs: 120_000 };

async function opened(dir: TempDir, options: Partial<SandboxOptions> = {}): Promise<Sandbox> {
  const folder = dir.file('place/work');
  await mkdir(folder, { recursive: true });
  const { signal } = new AbortController();
  return await openSandbox({ folder, hidden: [], limits, clock: systemClock, signal, ...options });
}

async function shell(sandbox: Sandbox, text: string, env: Readonly<Record<string, string>> = {}): Promise<CommandEnd> {
  return await sandbox.run({ words: ['sh', '-c', text], env });
}

async function said(sandbox: Sandbox, text: string): Promise<string> {
  const end = await shell(sandbox, text);
  assert.equal(end.kind, 'exited', JSON.stringify(end));
  assert.equal(end.code, 0, JSON.stringify(end));
  return end.output.trim();
}

test('a command has its folder, a clean environment, and is alone', async () => {
  await using dir = await tempDir();
  await writeFile(dir.file('live'), 'live');
  await using sandbox = await opened(dir);
  assert.equal(await said(sandbox, 'pwd; echo made >file'), '/run/holdfast');
  assert.equal(await readFile(dir.file('place', 'work', 'file'), 'utf8'), 'made\n');
  assert.deepEqual((await said(sandbox, 'env | cut -d= -f1 | sort')).split('\n'), [
    'HOLDFAST_DIR',
    'HOLDFAST_SANDBOX',
    'HOME',
    'LANG',
    'PATH',
    'PWD',
  ]);
  assert.match(await said(sandbox, 'ls -d /proc/[0-9]* | wc -l'), /^[2-5]$/);
  assert.equal(await said(sandbox, `ls -A /tmp /var/tmp | grep . | grep -v :; ls ${dir.path} 2>&1 | grep -c No`), '1');
  for (const refused of ['touch /etc/x', 'mount -t tmpfs tmpfs /mnt', 'umount /tmp', 'echo 1 >/proc/sys/vm/swappiness'])
    assert.notEqual(await said(sandbox, `${refused} 2>/dev/null; echo $?`), '0', refused);
});

test('a descriptor that Holdfast was started with, as of a lock, reaches nothing inside', async () => {
  await using dir = await tempDir();
  await mkdir(dir.file('work'));
  const text = `exec 200>"$1" 201<&0; shift; exec "$@"`;
  const asked = 'ls /proc/self/fd; echo leaked >&200';
  const words = ['-c', text, 'bash', dir.file('lock'), process.execPath, worker, dir.file('work'), asked];
  const ended: unknown = JSON.parse(String(await runOk('bash', words)));
  assert.match(JSON.stringify(ended), /"output":"0\\n1\\n2\\n3\\n"/);
  assert.equal(await readFile(dir.file('lock'), 'utf8'), '');
});

test('a live service answers outside, and neither by socket nor by TCP inside', async () => {
  await using dir = await tempDir();
  const sockets = ['/run/holdfast-canary', dir.file('hidden/socket'), `/srv/holdfast-canary-${process.pid}`];
  await mkdir(dir.file('hidden'));
  const paths = isRoot ? sockets : sockets.slice(1, 2);
  const servers = await Promise.all([...paths, 0].map(listening));
  try {
    await using sandbox = await opened(dir, { hidden: [dir.file('hidden')] });
    const port = portOf(servers.at(-1));
    for (const target of [...paths, port]) {
      assert.equal((await runOk(process.execPath, ['-e', asking(target)])).toString(), 'live', String(target));
      const inside = await sandbox.run({ words: [process.execPath, '-e', asking(target)], env: {} });
      assert.equal(inside.kind, 'exited', JSON.stringify(inside));
      assert.match(inside.output, /^E(?:CONNREFUSED|NOENT|NOTSOCK)$/, String(target));
    }
  } finally {
    for (const server of servers) server.close();
  }
});

async function listening(at: string | number): Promise<Server> {
  const server = createServer((socket) => socket.end('live'));
  if (typeof at === 'string') await rm(at, { force: true });
  server.listen(typeof at === 'string' ? { path: at } : { port: at, host: '127.0.0.1' });
  await once(server, 'listening');
  return server;
}

function portOf(server: Server | undefined): number {
  const address = server?.address();
  assert.ok(typeof address === 'object' && address !== null);
  return address.port;
}

function asking(target: string | number): string {
  const to = JSON.stringify(typeof target === 'string' ? { path: target } : { port: target, host: '127.0.0.1' });
  return `require('node:net').connect(${to}).on('data', (d) => process.stdout.write(String(d)))
    .on('error', (e) => process.stdout.write(e.code))`;
}

test('what a command starts goes on, serves the sandbox’s own loopback, and ends with it', async () => {
  await using dir = await tempDir();
  const mark = `holdfast-${process.pid}-serving`;
  {
    await using sandbox = await opened(dir);
    const server = `require('node:http').createServer((q, a) => a.end('up')).listen(8099, '127.0.0.1', () => require('node:fs').writeFileSync('up', ''))`;
    const start = await shell(
      sandbox,
      `"${process.execPath}" -e "${server}" ${mark} & while ! [ -e up ]; do sleep 0.05; done`,
    );
    assert.equal(start.kind, 'exited', JSON.stringify(start));
    assert.deepEqual(await sandbox.get('http://127.0.0.1:8099/'), { kind: 'answered', status: 200, body: 'up' });
    assert.equal((await sandbox.get('http://127.0.0.1:8098/')).kind, 'lacking');
    assert.notDeepEqual(await processesWith(mark), []);
  }
  assert.deepEqual(await processesWith(mark), []);
});

async function processesWith(mark: string): Promise<readonly string[]> {
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name) && name !== String(process.pid));
  const lines = await Promise.all(
    pids.map(async (pid) => await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '')), // ended meanwhile
  );
  return lines.filter((line) => line.includes(mark));
}

test('exit codes are kept apart from what the surroundings lack', async () => {
  await using dir = await tempDir();
  await using sandbox = await opened(dir);
  const kinds = async (text: string): Promise<string> => {
    const end = await shell(sandbox, text);
    return end.kind === 'exited' ? `${end.code} ${end.lastWords.join()}` : end.reason;
  };
  assert.equal(await kinds('echo no >&2; exit 3'), '3 no');
  assert.match(await kinds('exec no-such-program'), /not found in the sandbox: install it/);
  assert.match(await kinds('exec /etc/passwd'), /can’t be run in the sandbox/);
  assert.match(await kinds('kill -9 $$'), /killed by SIGKILL/);
});

test('a command gets its input and what is added to its environment', async () => {
  await using dir = await tempDir();
  await using sandbox = await opened(dir);
  await writeFile(dir.file('input'), 'the dump');
  const words = ['sh', '-c', 'cat; echo " $EXTRA $HOLDFAST_SANDBOX"'];
  const end = await sandbox.run({ words, input: dir.file('input'), env: { EXTRA: 'é x', HOLDFAST_SANDBOX: '0' } });
  assert.equal(end.kind, 'exited', JSON.stringify(end));
  assert.equal(end.output, 'the dump é x 1\n');
});

test('beyond its memory, its time or its disk a command is ended, and never failed by itself', async () => {
  for (const [limit, text, reason] of [
    [{ timeMs: 300 }, 'sleep 100', /more than the 0.3 s/],
    [
      { diskBytes: 1024 * 1024 },
      'head -c 8000000 /dev/zero >file',
      /killed by (?:SIGXFSZ|signal 25)|more than the 1048576 bytes/,
    ],
    [
      { diskBytes: 8 * 1024 * 1024 },
      // Much more than it may: what other tests give back meanwhile counts, too.
      'for i in $(seq 200); do head -c 4000000 /dev/urandom >f$i; done; sync; sleep 100',
      /the disk lost more than/,
    ],
  ] as const) {
    await using dir = await tempDir();
    await using sandbox = await opened(dir, { limits: { ...limits, ...limit } });
    const end = await shell(sandbox, text);
    assert.equal(end.kind, 'lacking', JSON.stringify(end));
    assert.match(end.reason, reason);
  }
});

test('memory is bounded by a control group, or the notes say that it isn’t', async () => {
  await using dir = await tempDir();
  await using sandbox = await opened(dir, { limits: { ...limits, memoryBytes: 64 * 1024 * 1024 } });
  const end = await shell(sandbox, 'head -c 200000000 /dev/zero | tail -n 1 | wc -c');
  if (sandbox.notes.length > 0) assert.match(sandbox.notes.join(), /memory is not limited/);
  else assert.match(JSON.stringify(end), /more memory than/);
});

test('where something is missing, no sandbox is had, and the error says what to install or allow', async () => {
  await using dir = await tempDir();
  const folder = dir.file('missing');
  const { signal } = new AbortController();
  const opening = openSandbox({ folder, hidden: [], limits, clock: systemClock, signal });
  await assert.rejects(opening, (error: unknown) => hasCode(error, 'refused') && /util-linux/.test(error.message));
});

test('anybody has a sandbox where the kernel lets them', { skip: isRoot ? false : absent('root') }, async () => {
  await using dir = await tempDir();
  await mkdir(dir.file('work'));
  for (const path of [dir.path, dir.file('work')]) await chown(path, 65534, 65534);
  const nobody = ['--reuid=65534', '--regid=65534', '--clear-groups', '--', process.execPath];
  const said = await runOk('setpriv', [...nobody, worker, dir.file('work'), 'id -u; echo made >file; touch /etc/x']);
  const end = JSON.parse(said.toString()) as CommandEnd;
  assert.equal(end.kind, 'exited', JSON.stringify(end));
  assert.equal(end.output, '0\n');
  assert.match(end.lastWords.join(), /Read-only|Permission denied/);
  assert.equal((await stat(dir.file('work/file'))).uid, 65534);
});

test('killed at any moment, Holdfast leaves no process, and the next sandbox removes its control group', async (context) => {
  await using dir = await tempDir();
  const kills = isFullBudget ? 60 : 8;
  const killed: number[] = [];
  // Before the namespaces, while they are made, while a command enters, and while it runs.
  const stages = [process.execPath, 'unshare\0', 'nsenter\0', 'sh\0-c\0sleep'];
  for (let kill = 0; kill < kills; kill++) {
    const folder = dir.file(`${kill}/work`);
    await mkdir(folder, { recursive: true });
    const killing = new AbortController();
    const words = [process.execPath, worker, folder, `sleep 1000 & sleep 1000; : ${folder}`];
    const args = ['-c', 'echo $$ >"$0"; exec "$@"', dir.file(`${kill}/pid`), ...words];
    const options = { args, clock: systemClock, signal: killing.signal, input: 'empty' } as const;
    await using program = await startProgram('sh', options);
    const stage = stages[kill % stages.length] ?? '';
    await until(async () => (await processesWith(folder)).some((line) => line.startsWith(stage)), `no ${stage}`);
    killing.abort();
    await program.ended;
    killed.push(Number(await readFile(dir.file(`${kill}/pid`), 'utf8')));
    await until(async () => (await processesWith(folder)).length === 0, 'processes are left');
  }
  await using sandbox = await opened(dir);
  assert.equal(await said(sandbox, 'echo fine'), 'fine');
  assert.deepEqual(await groups(killed), []);
  prove(context, { claim: 'a sandbox leaves nothing behind when Holdfast is killed', count: `${kills} kills` });
});

async function until(holds: () => Promise<boolean>, otherwise: string): Promise<void> {
  const begunMs = systemClock.monotonicMs();
  while (!(await holds())) {
    assert.ok(systemClock.monotonicMs() - begunMs < 60_000, otherwise);
    await systemClock.sleep(20);
  }
}

test('a sandbox opened and disposed of leaves no process, mount or control group', async () => {
  await using dir = await tempDir();
  {
    await using sandbox = await opened(dir);
    await said(sandbox, 'sleep 1000 >/dev/null & true');
    await chmod(dir.file('place/work'), 0o700);
  }
  assert.deepEqual(await groups([process.pid]), []);
  assert.doesNotMatch(await readFile('/proc/self/mounts', 'utf8'), new RegExp(dir.path));
});

/** Of these processes: other tests have sandboxes, too. */
async function groups(pids: readonly number[]): Promise<readonly string[]> {
  const all = await readdir('/sys/fs/cgroup', { recursive: true }).catch(() => []);
  const owner = (path: string): number => Number(/holdfast-(\d+)-[0-9a-f]{12}$/.exec(path)?.[1] ?? Number.NaN);
  return all.filter((path) => pids.includes(owner(path))).toSorted();
}
