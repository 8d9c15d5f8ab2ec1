import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdir, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:net';
import { test } from 'node:test';
import { systemClock } from '../src/clock/clock.ts';
import { startProgram } from '../src/host/process.ts';
import { absent } from './absences.ts';
import { holdfastProgram } from './support/holdfast.ts';
import { runOk, runProgram } from './support/run-program.ts';
import { tempDir, type TempDir } from './support/temp-dir.ts';
import { cheapNear, dumped, near, sceneAt, type Scene, type VerifiedCopy } from './support/verifying.ts';

async function backedUp(dir: TempDir, components: string): Promise<Scene> {
  await cheapNear(dir.path);
  const scene = await sceneAt(dir.path, `${near}components:\n${components}`);
  await scene.ok('backup', '--all');
  return scene;
}

function stepsOf({ checks = [] }: VerifiedCopy): readonly string[] {
  return checks.map(({ name, state }) => `${name} ${state}`);
}

const node = JSON.stringify(process.execPath).slice(1, -1);
const quoted = (line: string): string => JSON.stringify(line);

test('a dump is loaded and checked in a sandbox, by the environment that start printed', async () => {
  await using dir = await tempDir();
  const start = quoted('sh -c "mkdir data; echo started; echo HOLDFAST_ENV DATA=$PWD/data"');
  const load = quoted(`sh -c 'cat >"$DATA/rows"'`);
  const check = quoted(`sh -c 'grep -q two "$DATA/rows" && test "$HOLDFAST_SANDBOX" = 1'`);
  const checks = `{ name: rows, command: ${quoted(`sh -c 'wc -l <"$DATA/rows"'`)}, at-least: 2 }`;
  const dump = 'printf "one\\\\ntwo\\\\n"';
  const scene = await backedUp(dir, dumped('db', dump, `, start: ${start}, load: ${load}, check: ${check}`, checks));
  const { code, all } = await scene.verified('db');
  assert.equal(code, 0, JSON.stringify(all));
  assert.deepEqual(all.flatMap(stepsOf), [
    'sandbox passed',
    'dump passed',
    'start passed',
    'load passed',
    'check passed',
    'rows passed',
  ]);
  assert.equal(all[0]?.checks?.at(-1)?.found, '2');
});

test('what start prints is for commands inside, not for the programs that lead there', async () => {
  await using dir = await tempDir();
  const start = quoted(
    'sh -c "echo HOLDFAST_ENV PATH=/nowhere; echo HOLDFAST_ENV LD_PRELOAD=/nowhere.so; echo HOLDFAST_ENV n=5"',
  );
  const load = quoted(`/bin/sh -c '/bin/cat >rows; test "$PATH $LD_PRELOAD $n" = "/nowhere /nowhere.so 5"'`);
  const scene = await backedUp(dir, dumped('db', 'echo x', `, start: ${start}, load: ${load}`));
  const { code, all } = await scene.verified('db');
  assert.equal(code, 0, JSON.stringify(all));
});

test('a program below /tmp runs in a sandbox where the policy shows its folder, and else it is told how', async () => {
  await using dir = await tempDir();
  await mkdir(dir.file('tools'));
  await writeFile(dir.file('tools/load'), '#!/bin/sh\nexec cat >rows\n', { mode: 0o755 });
  const components = dumped('db', 'echo x', `, load: ${quoted(dir.file('tools/load'))}`);
  const hidden = await (await backedUp(dir, components)).verified('db');
  assert.equal(hidden.code, 5, JSON.stringify(hidden.all));
  assert.match(hidden.all[0]?.reason ?? '', /load.*only what sandbox\.visible names is seen/);
  const visible = 'sandbox: { visible: [DIR/tools] }\n';
  const shown = await (await sceneAt(dir.path, `${near}${visible}components:\n${components}`)).verified('db');
  assert.equal(shown.code, 0, JSON.stringify(shown.all));
});

const isRoot = process.getuid?.() === 0;

test('load and check never see the live system', { skip: isRoot ? false : absent('root') }, async () => {
  await using dir = await tempDir();
  const path = `/run/holdfast-live-${process.pid}`;
  await using socket = await canary({ path });
  await using tcp = await canary({ port: 0, host: '127.0.0.1' });
  const asking = (to: string): string =>
    `${node} -e "require('node:net').connect(${to}).on('data', () => process.exit(9)).on('error', () => process.exit(0))"`;
  const [bySocket, byTcp] = [asking(`'${path}'`), asking(`${tcp.port}, '127.0.0.1'`)];
  for (const line of [bySocket, byTcp])
    await assert.rejects(runOk('sh', ['-c', line]), /ended with 9/, 'it answers outside');
  const scene = await backedUp(
    dir,
    dumped('one', 'echo x', `, load: ${quoted(bySocket)}, check: ${quoted(byTcp)}`) +
      dumped('other', 'echo x', `, load: ${quoted(byTcp)}, check: ${quoted(bySocket)}`),
  );
  socket.asked = 0;
  tcp.asked = 0;
  const { code, all } = await scene.verified('--all');
  assert.equal(code, 0, JSON.stringify(all));
  assert.deepEqual([socket.asked, tcp.asked], [0, 0]);
});

interface Canary extends AsyncDisposable {
  asked: number;
  readonly port: number;
}

async function canary(
  at: { readonly path: string } | { readonly port: number; readonly host: string },
): Promise<Canary> {
  const server: Server = createServer((socket) => {
    found.asked += 1;
    socket.on('error', () => undefined); // it got its answer
    socket.end('live');
  });
  server.listen(at);
  await once(server, 'listening');
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  const found: Canary = {
    asked: 0,
    port,
    [Symbol.asyncDispose]: async () => {
      server.close();
      if ('path' in at) await rm(at.path, { force: true });
    },
  };
  return found;
}

test('a service that start started is asked over HTTP, inside', async () => {
  await using dir = await tempDir();
  const serve = `require('node:http').createServer((q, a) => { a.statusCode = q.url === '/bad' ? 500 : 200; a.end('7'); }).listen(8080, '127.0.0.1', () => require('node:fs').writeFileSync('up', ''))`;
  const script = `"$0" -e "$1" >/dev/null 2>&1 & while ! [ -e up ]; do sleep 0.05; done; echo HOLDFAST_ENV HOLDFAST_URL=http://127.0.0.1:8080`;
  const start = quoted(`sh -c '${script}' ${node} "${serve}"`);
  const checks = [
    '{ name: up, http: /health }',
    '{ name: seven, http: "http://127.0.0.1:8080/count", equals: 7 }',
    '{ name: eight, http: /count, equals: 8 }',
    '{ name: bad, http: /bad }',
    '{ name: nobody, http: "http://127.0.0.1:8081/" }',
  ].join(', ');
  const scene = await backedUp(dir, dumped('web', 'echo x', `, start: ${start}, load: cat`, checks));
  const { code, all } = await scene.verified('web');
  assert.equal(code, 4);
  assert.deepEqual(
    all.flatMap(stepsOf).slice(4),
    ['up passed', 'seven passed', 'eight failed', 'bad failed', 'nobody not run'],
    JSON.stringify(all),
  );
});

test(
  'load is never run without a sandbox: could not verify, with what to install',
  { skip: isRoot ? false : absent('root') },
  async () => {
    await using dir = await tempDir();
    const mark = dir.file('loaded');
    const scene = await backedUp(dir, dumped('db', 'echo x', `, load: ${quoted(`touch ${mark}`)}`));
    const program = ['--cache-dir', scene.file('cache'), '--state-dir', scene.file('state'), 'verify', 'db', '--json'];
    for (const without of [
      'echo 0 >/proc/sys/user/max_user_namespaces',
      'mount --bind /dev/null /usr/bin/nsenter',
      'mount --bind /dev/null "$(readlink -f "$(command -v ip)")"',
      'mount --bind /dev/null /usr/bin/unshare',
    ]) {
      const line = `${without}; cd ${dir.path}; exec "$@"`;
      const args = ['--user', '--map-root-user', '--mount', 'sh', '-c', line, 'sh', holdfastProgram, ...program];
      const { code, stdout, stderr } = await runProgram('unshare', args);
      assert.equal(code, 5, `${without}: ${stdout.toString()}${stderr}`);
      assert.match(stdout.toString(), /could not verify[^]*(?:util-linux|can’t be run)/, without);
      await assert.rejects(stat(mark));
    }
  },
);

test('what a killed verification restored is removed by the next one', async () => {
  await using dir = await tempDir();
  const scene = await backedUp(dir, dumped('db', 'echo x', `, load: "sh -c 'cat; sleep 1000'"`));
  const killing = new AbortController();
  const place = ['--cache-dir', scene.file('cache'), '--state-dir', scene.file('state')];
  const args = [...place, '--config', scene.file('holdfast.yaml'), 'verify', 'db'];
  const options = { args, clock: systemClock, signal: killing.signal, input: 'empty' } as const;
  await using program = await startProgram(holdfastProgram, options);
  const [sandboxes, quick] = [scene.file('state/sandboxes'), dumped('db', 'echo x', ', load: cat')];
  const isLoading = async (): Promise<boolean> => {
    const found = await readdir(sandboxes, { recursive: true }).catch(() => []); // not made yet
    return found.some((path) => path.endsWith('/output'));
  };
  const late = AbortSignal.timeout(300_000);
  while (!(await isLoading())) await systemClock.sleep(20, late);
  killing.abort();
  await program.ended;
  assert.equal((await readdir(sandboxes)).length, 1);
  const next = await sceneAt(dir.path, `${near}components:\n${quick}`);
  assert.equal((await next.verified('db')).code, 0);
  assert.deepEqual(await readdir(sandboxes), []);
});

test('where a copy finds no space, it could not be verified', { skip: isRoot ? false : absent('root') }, async () => {
  await using dir = await tempDir();
  const scene = await backedUp(dir, dumped('db', 'head -c 9000000 /dev/urandom', ', load: cat'));
  const place = ['--cache-dir', scene.file('cache'), '--state-dir', scene.file('state')];
  const line = `mount -t tmpfs -o size=4m tmpfs "$1" && shift && exec "$@"`;
  const args = ['--user', '--map-root-user', '--mount', 'sh', '-c', line, 'sh', scene.file('state')];
  const verify = [holdfastProgram, ...place, '--config', scene.file('holdfast.yaml'), 'verify', 'db', '--json'];
  const { code, stdout } = await runProgram('unshare', [...args, ...verify]);
  assert.equal(code, 5, stdout.toString());
  assert.match(stdout.toString(), /this host could not restore all of it/);
});
