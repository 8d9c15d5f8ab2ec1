import assert from 'node:assert/strict';
import { once } from 'node:events';
import { chmod, chown, mkdir, rename, symlink, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { fileURLToPath } from 'node:url';
import { test } from 'node:test';
import { absent } from '../../test/absences.ts';
import { runOk } from '../../test/support/run-program.ts';
import { tempDir, type TempDir } from '../../test/support/temp-dir.ts';
import { systemClock } from '../clock/clock.ts';
import { hasCode } from '../errors/error.ts';
import { startHolder } from './inside/holder.ts';
import { openSandbox, type CommandEnd, type Sandbox, type SandboxOptions } from './sandbox.ts';

const worker = fileURLToPath(new URL('../../test/support/sandbox-worker.ts', import.meta.url));
const limits = { memoryBytes: 2 ** 29, diskBytes: 2 ** 36, timeMs: 120_000 };

type Seen = Required<Pick<SandboxOptions, 'visible'>> & Partial<Pick<SandboxOptions, 'hidden'>>;

async function opened(dir: TempDir, { visible, hidden = [] }: Seen): Promise<Sandbox> {
  const folder = dir.file('place/work');
  await mkdir(folder, { recursive: true });
  const { signal } = new AbortController();
  return await openSandbox({ folder, hidden, visible, limits, clock: systemClock, signal });
}

/** Below /tmp, where a sandbox has nothing: an installation, and what stands beside it. */
async function installed(dir: TempDir): Promise<string> {
  const app = dir.file('app');
  for (const folder of ['bin', 'share', 'secret', 'other']) await mkdir(`${app}/${folder}`, { recursive: true });
  for (const folder of ['share', 'secret', 'other']) await writeFile(`${app}/${folder}/data`, folder);
  await writeFile(`${app}/bin/tool`, '#!/bin/sh\necho ran\n');
  await chmod(`${app}/bin/tool`, 0o4755);
  await symlink('app', dir.file('link'));
  return app;
}

async function said(sandbox: Sandbox, text: string): Promise<string> {
  const end = await sandbox.run({ words: ['sh', '-c', text], env: {} });
  assert.ok(end.kind === 'exited' && end.code === 0, `${text}: ${JSON.stringify(end)}`);
  return end.output.trim();
}

test('what is to be run is seen below /tmp, there and by its links, nothing beside it, and can’t be changed', async () => {
  await using dir = await tempDir();
  const app = await installed(dir);
  const link = dir.file('link');
  await using sandbox = await opened(dir, { visible: [`${app}/bin`, `${link}/share`, `${app}/gone`] });
  assert.equal(await said(sandbox, `${app}/bin/tool`), 'ran');
  assert.equal(await said(sandbox, `cat ${link}/share/data ${app}/share/data`), 'shareshare');
  assert.equal(await said(sandbox, `ls ${app}; ls ${dir.path}`), 'bin\nshare\napp\nlink');
  for (const change of [`touch ${app}/bin/new`, `echo >${app}/bin/tool`, `chmod 777 ${app}/bin`, `rm -r ${app}/share`])
    assert.notEqual(await said(sandbox, `${change} 2>/dev/null; echo $?`), '0', change);
  assert.match(await said(sandbox, `grep ' ${app}/bin ' /proc/self/mounts`), / ro,nosuid,nodev/);
});

test('what lies within another visible folder comes with it, whichever is named first, and by its links', async () => {
  await using dir = await tempDir();
  const app = await installed(dir);
  const link = dir.file('link');
  for (const visible of [
    [`${app}/bin`, `${link}/share`, app],
    [app, `${link}/share`, `${app}/bin`, `${app}/bin`],
  ]) {
    await using sandbox = await opened(dir, { visible });
    assert.equal(await said(sandbox, `${app}/bin/tool; cat ${link}/share/data ${app}/other/data`), 'ran\nshareother');
    assert.notEqual(await said(sandbox, `touch ${app}/bin/new ${app}/new 2>/dev/null; echo $?`), '0');
  }
});

test('what is hidden has the last word over what is visible, by whatever name it goes', async () => {
  await using dir = await tempDir();
  const app = await installed(dir);
  await using server = createServer().listen(`${app}/socket`);
  await once(server, 'listening');
  const hidden = [`${app}/secret`, dir.file('link/other')];
  await using sandbox = await opened(dir, { visible: [app], hidden });
  assert.equal(await said(sandbox, `ls ${app}/secret ${app}/other ${app}/share`).then(withoutNames(app)), 'data');
  assert.equal(await said(sandbox, `[ -S ${app}/socket ] || echo covered`), 'covered');
  await using inHidden = await opened(dir, { visible: [`${app}/bin`], hidden: [app] });
  assert.equal(await said(inHidden, `ls -A ${app}`), '');
});

function withoutNames(app: string): (listed: string) => string {
  return (listed) =>
    listed
      .split('\n')
      .filter((line) => line !== '' && !line.startsWith(app))
      .join('\n');
}

test('a link that is put in the place of what is to be seen, once that was looked up, uncovers nothing', async () => {
  await using dir = await tempDir();
  const app = await installed(dir);
  await mkdir(dir.file('place'));
  const { signal } = new AbortController();
  for (const [path, target] of [
    [`${app}/bin`, 'secret'],
    [`${app}/share/data`, '../secret/data'],
  ] as const) {
    const given = { folder: dir.file('place'), hidden: [`${app}/secret`], visible: [path], limits, clock: systemClock };
    const swap = async (): Promise<void> => {
      await rename(path, `${path}.before`);
      await symlink(target, path);
    };
    const started = async (): Promise<void> => {
      await using _holder = await startHolder({ ...given, signal }, swap);
    };
    await assert.rejects(started(), { message: /can’t be shown, or is a link by now/ });
  }
});

test('what starts empty is never shown as a whole, nor what it lies in, nor a device', async () => {
  await using dir = await tempDir();
  await symlink('/tmp', dir.file('all'));
  for (const path of ['/tmp', '/', '/var', '/run', '/dev', '/dev/shm', '/dev/null', dir.file('all'), '/tmp/../tmp']) {
    const refused = (error: unknown): boolean => hasCode(error, 'refused') && error.message.includes('can’t be shown');
    await assert.rejects(opened(dir, { visible: [path] }), refused, path);
  }
});

test(
  'what is mounted in what is visible comes along, read-only, for anybody',
  { skip: process.getuid?.() === 0 ? false : absent('root') },
  async () => {
    await using dir = await tempDir();
    const app = await installed(dir);
    await mkdir(dir.file('work'));
    for (const path of [dir.path, dir.file('work')]) await chown(path, 65534, 65534);
    const mount =
      'mount -t tmpfs -o nosuid,noexec tmpfs "$1/share" && echo mounted >"$1/share/data" &&' +
      // One of them is covered by another, and can't be reached.
      'mkdir "$1/other/deep" && mount -t tmpfs tmpfs "$1/other/deep" && mount -t tmpfs tmpfs "$1/other" &&' +
      'shift && exec "$@"';
    const nobody = ['setpriv', '--reuid=65534', '--regid=65534', '--clear-groups', '--', process.execPath];
    const text = `cat ${app}/share/data; ${app}/bin/tool; grep -c ' ${app}.* ro,nosuid,nodev' /proc/self/mounts; touch ${app}/share/x`;
    const started = ['--mount', 'sh', '-c', mount, 'sh', app, ...nobody, worker, dir.file('work'), text, app];
    const end = JSON.parse((await runOk('unshare', started)).toString()) as CommandEnd;
    assert.equal(end.kind, 'exited', JSON.stringify(end));
    assert.equal(end.output, 'mounted\nran\n3\n', JSON.stringify(end));
    assert.match(end.lastWords.join(), /Read-only/);
  },
);
