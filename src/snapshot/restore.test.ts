import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import * as fs from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { differences, inventoryOf } from '../../scripts/first-backup/inventory.ts';
import { makeOriginals } from '../../scripts/first-backup/originals.ts';
import { archiveFolder, newRepository } from '../../test/support/engine.ts';
import { mounted, withoutMounts } from '../../test/support/mounting.ts';
import { writerOptions } from '../../test/support/pipeline.ts';
import { runOk } from '../../test/support/run-program.ts';
import { tempDir } from '../../test/support/temp-dir.ts';
import { rawPathOf, type BlobId } from '../bytes/ids.ts';
import { silent, type Event, type Listener } from '../events/events.ts';
import type { Repository } from '../repository/repository.ts';
import type { TreeNode } from './entry.ts';
import { growthByRestore, restoreTree, selectAll, type RestoreOptions, type RestoreOutcome } from './restore.ts';
import { encodeTree } from '../../test/support/encode-tree.ts';

const whole: RestoreOptions = {
  overwrite: 'always',
  select: selectAll,
  extras: 'keep',
  mode: 'write',
  holes: 'dense',
  verify: 'no',
  selectXattr: 'all',
};

interface Run {
  readonly repository: Repository;
  readonly tree: BlobId;
  readonly to: string;
  readonly signal?: AbortSignal;
  readonly listener?: Listener;
}

async function restore(run: Run, options: Partial<RestoreOptions> = {}): Promise<RestoreOutcome> {
  const { signal = new AbortController().signal, listener = silent } = run;
  const { repository, tree } = run;
  return await restoreTree({
    repository,
    tree,
    target: rawPathOf(run.to),
    options: { ...whole, ...options },
    listener,
    signal,
  });
}

const mebibyte = 2 ** 20;

/** A folder with a few files, archived. */
async function sample(folder: string): Promise<{ repository: Repository; tree: BlobId }> {
  fs.mkdirSync(join(folder, 'sub/deep'), { recursive: true });
  fs.writeFileSync(join(folder, 'a'), 'content of a');
  fs.writeFileSync(join(folder, 'sub/b'), 'content of b');
  // More than a largest chunk, so that it has two blobs wherever it is cut.
  fs.writeFileSync(join(folder, 'sub/deep/c'), Buffer.alloc(9 * mebibyte, 'content of c'));
  const repository = await newRepository();
  return { repository, tree: await archiveFolder(repository, folder) };
}

function read(...path: readonly string[]): string {
  return fs.readFileSync(join(...path), 'utf8');
}

test('a restore elsewhere brings every byte and every attribute back', { timeout: 300_000 }, async () => {
  await using dir = await tempDir();
  makeOriginals(dir.file('originals'));
  await using repository = await newRepository();
  const tree = await archiveFolder(repository, dir.file('originals'));
  const outcome = await restore({ repository, tree, to: dir.file('restored') }, { verify: 'read-back' });
  assert.equal(outcome.failures, 0);
  const wanted = inventoryOf(dir.file('originals'));
  // The target folder itself is the user's, not the snapshot's.
  const found = new Map([...inventoryOf(dir.file('restored')), ['/', wanted.get('/') ?? {}] as const]);
  assert.deepEqual(differences(wanted, found), []);
  assert.ok((outcome.verifiedFiles ?? 0) > 1000);
});

test(
  'a full disk ends a restore by one error, and the same restore goes on once there is room',
  { skip: withoutMounts() },
  async () => {
    await using dir = await tempDir();
    fs.mkdirSync(dir.file('from/sub'), { recursive: true });
    fs.mkdirSync(dir.file('to'));
    for (let n = 0; n < 30; n++) fs.writeFileSync(dir.file(`from/sub/${n}`), randomBytes(400_000));
    await using repository = await newRepository();
    const tree = await archiveFolder(repository, dir.file('from'));
    await using _mount = await mounted(dir.file('to'));
    const sized = async (size: string): Promise<unknown> =>
      await runOk('mount', ['-o', `remount,size=${size}`, dir.file('to')]);
    await sized('4m');
    const warnings: Event[] = [];
    const listener: Listener = (event) => void (event.kind === 'warning' && warnings.push(event));
    const run = { repository, tree, to: dir.file('to'), listener };
    await assert.rejects(restore(run), {
      code: 'storage-full',
      message: /the disk of .*\/to\/sub is full$/,
    });
    assert.deepEqual(warnings, []);
    await sized('50%');
    const { failures, restoredItems } = await restore(run);
    assert.deepEqual([failures, restoredItems < 31], [0, true]);
    assert.equal(fs.readdirSync(dir.file('to/sub')).length, 30);
  },
);

test('a target that can’t be made is refused by name', async () => {
  await using dir = await tempDir();
  const { repository, tree } = await sample(dir.file('from'));
  const refused = { code: 'refused', message: /^nothing can be restored to .*\/from\/a(?:\/b)?: / };
  for (const to of [dir.file('from/a'), dir.file('from/a/b')])
    await assert.rejects(restore({ repository, tree, to }), refused);
});

test(
  'a restore that is ended in its midst leaves no file open',
  { skip: !fs.existsSync('/proc/self/fd') },
  async () => {
    await using dir = await tempDir();
    const { repository, tree } = await sample(dir.file('from'));
    fs.writeFileSync(dir.file('from/sub/deep/d'), 'content of d');
    const ending = new AbortController();
    const select: RestoreOptions['select'] = (location) => {
      if (location === '/sub/deep/c') ending.abort(new Error('ended'));
      return { selected: true, childrenMayBe: true };
    };
    const whole = await archiveFolder(repository, dir.file('from'));
    assert.notEqual(whole, tree);
    await assert.rejects(
      restore({ repository, tree: whole, to: dir.file('to'), signal: ending.signal }, { select }),
      /ended/,
    );
    const target = (fd: string): string => {
      try {
        return fs.readlinkSync(`/proc/self/fd/${fd}`);
      } catch {
        return '';
      }
    };
    const open = fs
      .readdirSync('/proc/self/fd')
      .map(target)
      .filter((path) => path.startsWith(dir.file('to')));
    assert.deepEqual(open, []);
  },
);

test('a second restore writes no content, and a damaged file only the blobs that differ', async () => {
  await using dir = await tempDir();
  const { repository, tree } = await sample(dir.file('from'));
  const run = { repository, tree, to: dir.file('to') };
  const first = await restore(run);
  assert.deepEqual([first.restoredItems, first.skippedItems, first.failures], [5, 0, 0]);
  const inode = fs.statSync(dir.file('to/sub/deep/c')).ino;
  const again = await restore(run);
  assert.deepEqual([again.restoredItems, again.skippedItems], [2, 3], 'the folders alone are touched');
  fs.writeFileSync(dir.file('to/a'), 'CONTENT OF A');
  fs.truncateSync(dir.file('to/sub/deep/c'), 8.5 * mebibyte);
  const mended = await restore(run);
  assert.equal(mended.restoredItems, 4);
  assert.equal(read(dir.file('to/a')), 'content of a');
  assert.equal(read(dir.file('to/sub/deep/c')), read(dir.file('from/sub/deep/c')));
  assert.equal(fs.statSync(dir.file('to/sub/deep/c')).ino, inode, 'patched in place');
});

test('--overwrite never, if-newer and if-changed leave alone what they promise to', async () => {
  await using dir = await tempDir();
  const { repository, tree } = await sample(dir.file('from'));
  const run = { repository, tree, to: dir.file('to') };
  await restore(run);
  const { mtimeMs } = fs.statSync(dir.file('from/a'));
  const edit = (ageMs: number): void => {
    fs.writeFileSync(dir.file('to/a'), 'edited by me');
    fs.utimesSync(dir.file('to/a'), (mtimeMs + ageMs) / 1000, (mtimeMs + ageMs) / 1000);
  };
  edit(-60_000);
  await restore(run, { overwrite: 'never' });
  assert.equal(read(dir.file('to/a')), 'edited by me');
  edit(60_000);
  await restore(run, { overwrite: 'if-newer' });
  assert.equal(read(dir.file('to/a')), 'edited by me', 'what is there is newer');
  edit(-60_000);
  await restore(run, { overwrite: 'if-newer' });
  assert.equal(read(dir.file('to/a')), 'content of a');
  edit(-60_000);
  await restore(run, { overwrite: 'if-changed' });
  assert.equal(read(dir.file('to/a')), 'content of a');
});

test('extras are deleted only when asked, only where selected, and told', async () => {
  await using dir = await tempDir();
  const { repository, tree } = await sample(dir.file('from'));
  const events: Event[] = [];
  const run = { repository, tree, to: dir.file('to'), listener: (event: Event) => void events.push(event) };
  await restore(run);
  fs.mkdirSync(dir.file('to/sub/extra/more'), { recursive: true });
  fs.writeFileSync(dir.file('to/sub/extra/more/file'), '');
  await restore(run);
  assert.ok(fs.existsSync(dir.file('to/sub/extra/more/file')));
  const preview = await restore(run, { extras: 'delete', mode: 'dry-run' });
  assert.equal(preview.deletedItems, 1);
  assert.ok(fs.existsSync(dir.file('to/sub/extra/more/file')), 'a dry run deletes nothing');
  events.length = 0;
  assert.equal((await restore(run, { extras: 'delete' })).deletedItems, 3);
  assert.deepEqual(fs.readdirSync(dir.file('to/sub')), ['b', 'deep']);
  const deleted = events.flatMap((event) =>
    event.kind === 'note' && event.name === 'deleted' ? [event.data['item']] : [],
  );
  assert.deepEqual(deleted, ['/sub/extra/more/file', '/sub/extra/more', '/sub/extra']);
});

test('an aborted restore deletes nothing that the snapshot has', async () => {
  await using dir = await tempDir();
  const { repository, tree } = await sample(dir.file('from'));
  await restore({ repository, tree, to: dir.file('to') });
  const controller = new AbortController();
  const stop = (event: Event): void => {
    if (event.kind === 'note') controller.abort(new Error('stopped by the user'));
  };
  const run = { repository, tree, to: dir.file('to'), signal: controller.signal, listener: stop };
  await assert.rejects(restore(run, { extras: 'delete' }), /stopped by the user/);
  assert.deepEqual(fs.readdirSync(dir.file('to'), { recursive: true }).length, 5);
});

test('only what is selected is restored, with the folders above it', async () => {
  await using dir = await tempDir();
  const { repository, tree } = await sample(dir.file('from'));
  const select: RestoreOptions['select'] = (location) => ({
    selected: location === '/sub/deep/c',
    childrenMayBe: '/sub/deep/c'.startsWith(location),
  });
  const outcome = await restore({ repository, tree, to: dir.file('to') }, { select });
  assert.deepEqual([outcome.failures, outcome.restoredItems, outcome.totalItems], [0, 3, 3]);
  assert.deepEqual(fs.readdirSync(dir.file('to'), { encoding: 'utf8', recursive: true }).toSorted(), [
    'sub',
    'sub/deep',
    'sub/deep/c',
  ]);
  assert.equal(fs.statSync(dir.file('to/sub')).mtimeMs, fs.statSync(dir.file('from/sub')).mtimeMs);
});

test('a dry run makes nothing and counts what it would do', async () => {
  await using dir = await tempDir();
  const { repository, tree } = await sample(dir.file('from'));
  const outcome = await restore({ repository, tree, to: dir.file('to') }, { mode: 'dry-run' });
  assert.deepEqual([outcome.totalItems, outcome.totalBytes], [5, 9 * mebibyte + 24]);
  assert.ok(!fs.existsSync(dir.file('to')));
});

test('links in the place of folders and files are replaced, never followed', async () => {
  await using dir = await tempDir();
  const { repository, tree } = await sample(dir.file('from'));
  fs.mkdirSync(dir.file('outside/deep'), { recursive: true });
  fs.writeFileSync(dir.file('outside/victim'), 'untouched');
  fs.mkdirSync(dir.file('to'));
  fs.symlinkSync('../outside', dir.file('to/sub'));
  fs.symlinkSync('../outside/victim', dir.file('to/a'));
  const outcome = await restore({ repository, tree, to: dir.file('to') }, { extras: 'delete' });
  assert.equal(outcome.failures, 0);
  assert.equal(read(dir.file('outside/victim')), 'untouched');
  assert.deepEqual(fs.readdirSync(dir.file('outside')).sort(), ['deep', 'victim']);
  assert.ok(fs.lstatSync(dir.file('to/sub')).isDirectory());
  assert.equal(read(dir.file('to/a')), 'content of a');
});

test('a link that is swapped in for a folder during the restore leads nowhere', async () => {
  await using dir = await tempDir();
  const { repository, tree } = await sample(dir.file('from'));
  fs.mkdirSync(dir.file('outside'));
  let swapped = false;
  const swap = (event: Event): void => {
    if (swapped || event.kind !== 'progress' || !fs.existsSync(dir.file('to/sub'))) return;
    swapped = true;
    fs.renameSync(dir.file('to/sub'), dir.file('to/moved'));
    fs.symlinkSync('../outside', dir.file('to/sub'));
  };
  await restore({ repository, tree, to: dir.file('to'), listener: swap });
  assert.ok(swapped);
  assert.deepEqual(fs.readdirSync(dir.file('outside')), []);
  assert.ok(fs.existsSync(dir.file('to/moved')));
});

test('a hostile tree writes nothing outside its target', async () => {
  for (const name of ['..', '../escaped', '/tmp/escaped', '.', 'a/b']) {
    await using dir = await tempDir();
    const { repository } = await sample(dir.file('from'));
    const bad = encodeTree([{ ...fileNode, name: rawPathOf(name) }]);
    await using writer = await repository.openWriter(writerOptions());
    const { id } = await writer.storeTree(bad);
    await writer.flush();
    await repository.loadIndex(silent);
    const outcome = await restore({ repository, tree: id, to: dir.file('inner/to') });
    assert.equal(outcome.failures, 1, `the name ${name} is refused`);
    assert.deepEqual(fs.readdirSync(dir.file('inner/to')), []);
    assert.deepEqual(fs.readdirSync(dir.file('inner')), ['to']);
  }
});

const fileNode: Omit<TreeNode, 'name'> = {
  type: 'file',
  mode: 0o644,
  ...{ mtimeNs: 0n, atimeNs: 0n, ctimeNs: 0n, uid: 0, gid: 0, user: '', group: '' },
  ...{ inode: 1n, deviceId: 1n, sizeBytes: 0, links: 1n, content: [] },
};

test('a missing blob fails its file alone, and is told', async () => {
  await using dir = await tempDir();
  const { repository } = await sample(dir.file('from'));
  const lost = 'ab'.repeat(32) as BlobId;
  const names = ['good', 'lost'].map((name) => rawPathOf(name));
  const nodes = names.map((name, i) => ({ ...fileNode, name, content: i === 0 ? [] : [lost] }));
  await using writer = await repository.openWriter(writerOptions());
  const { id } = await writer.storeTree(encodeTree(nodes));
  await writer.flush();
  await repository.loadIndex(silent);
  const outcome = await restore({ repository, tree: id, to: dir.file('to') });
  assert.deepEqual([outcome.failures, outcome.restoredItems], [1, 1]);
  assert.deepEqual(fs.readdirSync(dir.file('to')), ['good']);
});

test('holes come back as holes where asked', async () => {
  await using dir = await tempDir();
  fs.mkdirSync(dir.file('from'));
  const disk = fs.openSync(dir.file('from/disk'), 'w');
  fs.writeSync(disk, 'start');
  fs.ftruncateSync(disk, 64 * 2 ** 20);
  fs.closeSync(disk);
  await using repository = await newRepository();
  const tree = await archiveFolder(repository, dir.file('from'));
  await restore({ repository, tree, to: dir.file('sparse') }, { holes: 'sparse', verify: 'read-back' });
  assert.ok(fs.statSync(dir.file('sparse/disk')).blocks * 512 < 2 ** 20);
  assert.equal(fs.statSync(dir.file('sparse/disk')).size, 64 * 2 ** 20);
  await restore({ repository, tree, to: dir.file('dense') });
  assert.ok(fs.statSync(dir.file('dense/disk')).blocks * 512 >= 64 * 2 ** 20);
});

test('a restore that was cut off is finished by running it again', async () => {
  await using dir = await tempDir();
  makeOriginals(dir.file('originals'));
  await using repository = await newRepository();
  const tree = await archiveFolder(repository, dir.file('originals'));
  const controller = new AbortController();
  let seen = 0;
  const told: Event[] = [];
  const stop = (event: Event): void => {
    if (event.kind === 'warning') told.push(event);
    if (event.kind === 'note' && ++seen === 200) controller.abort(new Error('cut off'));
  };
  const to = dir.file('to');
  await assert.rejects(restore({ repository, tree, to, signal: controller.signal, listener: stop }), /cut off/);
  assert.deepEqual(told, [], 'of each file that it cut off nothing is told');
  const outcome = await restore({ repository, tree, to }, { overwrite: 'if-changed' });
  assert.equal(outcome.failures, 0);
  assert.ok(outcome.skippedItems > 50, 'what was finished is not written again');
  const wanted = inventoryOf(dir.file('originals'));
  const found = new Map([...inventoryOf(to), ['/', wanted.get('/') ?? {}] as const]);
  assert.deepEqual(differences(wanted, found), []);
});

test('extras make room first: what is not in the snapshot is gone before anything is written, and what it takes is told', async () => {
  await using dir = await tempDir();
  await using repository = await newRepository();
  fs.mkdirSync(dir.file('original/sub'), { recursive: true });
  fs.writeFileSync(dir.file('original/a'), Buffer.alloc(3 * mebibyte, 'a'));
  fs.writeFileSync(dir.file('original/sub/b'), Buffer.alloc(mebibyte, 'b'));
  const tree = await archiveFolder(repository, dir.file('original'));
  fs.mkdirSync(dir.file('to/zz/deep'), { recursive: true });
  fs.mkdirSync(dir.file('to/sub'));
  fs.writeFileSync(dir.file('to/a'), Buffer.alloc(2 * mebibyte, 'a'));
  fs.writeFileSync(dir.file('to/sub/b'), Buffer.alloc(mebibyte, 'b'));
  fs.writeFileSync(dir.file('to/sub/extra'), 'x'.repeat(100));
  fs.writeFileSync(dir.file('to/zz/deep/extra'), 'x'.repeat(1000));
  const { ino } = fs.statSync(dir.file('to/sub/b'));
  const options = { ...whole, extras: 'delete first' } as const;
  const request = { repository, tree, target: rawPathOf(dir.file('to')), options, listener: silent };
  const { signal } = new AbortController();
  assert.equal(await growthByRestore({ ...request, signal }), mebibyte - 1100);
  assert.equal(fs.existsSync(dir.file('to/zz/deep/extra')), true, 'it changes nothing');
  const order: string[] = [];
  const listener: Listener = (event) => void (event.kind === 'note' && order.push(event.name));
  const outcome = await restore({ repository, tree, to: dir.file('to'), listener }, options);
  assert.equal(order.lastIndexOf('deleted') < order.indexOf('updated'), true, order.join(' '));
  assert.equal(outcome.failures, 0);
  assert.deepEqual(fs.readdirSync(dir.file('to')), ['a', 'sub']);
  assert.deepEqual(fs.readdirSync(dir.file('to/sub')), ['b']);
  assert.equal(fs.statSync(dir.file('to/a')).size, 3 * mebibyte);
  assert.equal(fs.statSync(dir.file('to/sub/b')).ino, ino);
});
