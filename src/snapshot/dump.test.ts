import assert from 'node:assert/strict';
import {
  linkSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  lstatSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { after, before, test } from 'node:test';
import { parseBlobId, rawPathOf, type BlobId } from '../bytes/ids.ts';
import { systemClock } from '../clock/clock.ts';
import { hasCode } from '../errors/error.ts';
import { silent, type Event } from '../events/events.ts';
import { getXattr, setXattr } from '../host/xattr.ts';
import { makeSpecialNode } from '../host/mknod.ts';
import { setTimes } from '../host/times.ts';
import { openRepository } from '../repository/open.ts';
import type { Repository } from '../repository/repository.ts';
import { openLocal } from '../storage/local.ts';
import { absent } from '../../test/absences.ts';
import { resticOk, runRestic, withoutRestic } from '../../test/servers/restic.ts';
import { runOk } from '../../test/support/run-program.ts';
import { tempDir, type TempDir } from '../../test/support/temp-dir.ts';
import { cheapRepository } from '../../test/support/two-tools.ts';
import { dumpFile, dumpFolder, type DumpOptions } from './dump.ts';
import { ZipFormat } from './dump/zip.ts';
import { locate, locateFolder } from './locate.ts';
import { findLatest, anySnapshot } from './snapshots.ts';

const skip = withoutRestic('0.19.1');
const withoutPython = (await pythonStarts()) ? false : absent('python');
const options: DumpOptions = { listener: silent, signal: new AbortController().signal };
async function pythonStarts(): Promise<boolean> {
  return await runOk('python3', ['--version']).then(
    () => true,
    () => false,
  );
}

let dir: TempDir;
let repository: Repository;
let root: BlobId;

before(async () => {
  dir = await tempDir();
  if (skip !== false) return;
  makeSource(dir.file('s'));
  const at = { repository: dir.file('repository'), password: 'secret' };
  await cheapRepository(at.repository);
  await resticOk('0.19.1', at, ['backup', 's'], { cwd: dir.path });
  repository = await openRepository({
    storage: await openLocal(at.repository),
    clock: systemClock,
    password: 'secret',
  });
  root = (await findLatest(repository, anySnapshot))?.tree ?? parseBlobId('');
  await repository.loadIndex(silent);
});

after(async () => {
  await repository?.[Symbol.asyncDispose]();
  await dir[Symbol.asyncDispose]();
});

function makeSource(folder: string): void {
  mkdirSync(`${folder}/sub/${'long'.repeat(30)}`, { recursive: true, mode: 0o755 });
  writeFileSync(`${folder}/empty`, '');
  writeFileSync(`${folder}/sub/large`, Buffer.alloc(5_000_000, 'some text that repeats'));
  writeFileSync(`${folder}/sub/${'long'.repeat(30)}/${'name'.repeat(25)}`, 'deep');
  writeFileSync(`${folder}/sub/ünïcode`, 'u', { mode: 0o4750 });
  linkSync(`${folder}/sub/ünïcode`, `${folder}/sub/hard`);
  symlinkSync('x'.repeat(150), `${folder}/link`);
  symlinkSync('sub', `${folder}/short`);
  makeSpecialNode(rawPathOf(`${folder}/sub/fifo`), { kind: 'fifo' });
  setXattr(rawPathOf(`${folder}/empty`), 'user.comment', Buffer.from([1, 0, 255]));
  setTimes(rawPathOf(`${folder}/empty`), { atimeNs: 1n, mtimeNs: 1_234_567_890_123_456_789n });
}

async function collected(pieces: AsyncIterable<Uint8Array>): Promise<Buffer> {
  return Buffer.concat(await Array.fromAsync(pieces));
}

async function archiveOf(path: string, format: 'tar' | 'zip'): Promise<Buffer> {
  const tree = await locateFolder(repository, root, rawPathOf(path));
  return await collected(dumpFolder(repository, { tree, path: rawPathOf(path), format }, options));
}

/** Every path with its type, permissions and content; restic's tar has times rounded to seconds. */
function contents(folder: string, prefix = ''): readonly string[] {
  return readdirSync(`${folder}/${prefix}`)
    .toSorted()
    .flatMap((name) => {
      const path = `${prefix}${name}`;
      const { mode } = lstatSync(`${folder}/${path}`);
      const shown = `${path} ${mode.toString(8)}`;
      const link = lstatSync(`${folder}/${path}`).isSymbolicLink();
      if (lstatSync(`${folder}/${path}`).isDirectory()) return [shown, ...contents(folder, `${path}/`)];
      const text = link ? readlinkSync(`${folder}/${path}`) : readFileSync(`${folder}/${path}`).toString();
      return [`${shown} ${text.length} ${text.slice(0, 200)}`];
    });
}

test('a file is dumped as it was', { skip }, async () => {
  for (const name of ['empty', 'sub/large', 'sub/ünïcode']) {
    const located = await locate(repository, root, rawPathOf(`/s/${name}`));
    assert.ok(located.kind === 'node');
    assert.ok((await collected(dumpFile(repository, located.node, options))).equals(readFileSync(dir.file('s', name))));
  }
});

test('what is no file is not dumped as one', { skip }, async () => {
  const located = await locate(repository, root, rawPathOf('/s/link'));
  assert.ok(located.kind === 'node');
  await assert.rejects(collected(dumpFile(repository, located.node, options)), (error) => hasCode(error, 'refused'));
});

test('a tar unpacks to what was backed up, as restic’s does', { skip }, async () => {
  const theirs = await runRestic('0.19.1', { repository: dir.file('repository'), password: 'secret' }, [
    'dump',
    'latest',
    '/s',
  ]);
  for (const [name, bytes] of [
    ['mine', await archiveOf('/s', 'tar')],
    ['theirs', theirs.stdout],
  ] as const) {
    mkdirSync(dir.file(name));
    await runOk('tar', ['-x', '--xattrs', '--xattrs-include=*', '-p', '-C', dir.file(name)], { input: bytes });
  }
  assert.deepEqual(contents(dir.file('mine')), contents(dir.file('theirs')));
  assert.equal(contents(dir.file('mine')).length, 10);
  assert.deepEqual([...getXattr(rawPathOf(dir.file('mine/s/empty')), 'user.comment')], [1, 0, 255]);
  assert.equal(lstatSync(dir.file('mine/s/empty'), { bigint: true }).mtimeNs, 1_234_567_890_123_456_789n);
});

test('a zip unpacks to what was backed up', { skip: skip === false ? withoutPython : skip }, async () => {
  writeFileSync(dir.file('mine.zip'), await archiveOf('/s', 'zip'));
  const script = [
    'import sys, zipfile',
    'z = zipfile.ZipFile(sys.argv[1])',
    'assert z.testzip() is None',
    'for i in z.infolist(): print(oct(i.external_attr >> 16), i.file_size, i.compress_type, i.filename)',
  ];
  const listed = (await runOk('python3', ['-c', script.join('\n'), dir.file('mine.zip')])).toString();
  assert.match(listed, /^0o100644 5000000 8 s\/sub\/large$/m);
  assert.match(listed, /^0o104750 1 8 s\/sub\/ünïcode$/m);
  assert.match(listed, /^0o120777 3 0 s\/short$/m);
  assert.match(listed, /^0o40755 0 0 s\/sub\/$/m);
  assert.equal(listed.trim().split('\n').length, 9);
});

test(
  'a zip of more entries, and with a larger file, than the old records can tell is sound',
  { skip: withoutPython },
  async () => {
    const format = new ZipFormat();
    const pieces: Uint8Array[] = [];
    const plain = { mode: 0o644, mtimeNs: 0n, atimeNs: 0n, ctimeNs: 0n, uid: 0, gid: 0, user: '', group: '' };
    const node = { ...plain, inode: 0n, deviceId: 0n, links: 0n, content: null, name: rawPathOf('x') };
    for (let n = 0; n < 66_000; n += 1) {
      pieces.push(
        ...format.entry(rawPathOf(`d${n}`), { ...node, type: 'dir', sizeBytes: 0 }),
        ...(await format.endOfEntry()),
      );
    }
    pieces.push(...format.entry(rawPathOf('large'), { ...node, type: 'file', sizeBytes: 2 ** 33 }));
    pieces.push(
      ...(await format.data(Buffer.from('not so large'))),
      ...(await format.endOfEntry()),
      ...format.finish(),
    );
    await using folder = await tempDir();
    writeFileSync(folder.file('many.zip'), Buffer.concat(pieces));
    const script = 'import sys, zipfile; z = zipfile.ZipFile(sys.argv[1]); print(len(z.infolist()), z.read("large"))';
    const told = await runOk('python3', ['-c', script, folder.file('many.zip')]);
    assert.equal(told.toString().trim(), "66001 b'not so large'");
  },
);

test('a blob that is lost fails the dump', { skip }, async () => {
  const lost = await locate(repository, root, rawPathOf('/s/sub/hard'));
  assert.ok(lost.kind === 'node');
  const [blob] = lost.node.content ?? [];
  const reader = {
    readBlob: async (type: 'data' | 'tree', id: BlobId) =>
      await repository.readBlob(type, id === blob ? parseBlobId('00'.repeat(32)) : id),
  };
  const dump = dumpFolder(reader, { tree: root, path: rawPathOf('/'), format: 'tar' }, options);
  await assert.rejects(collected(dump), (error) => hasCode(error, 'blob-missing'));
});

test('blobs that don’t add up to the size fail the dump', { skip }, async () => {
  const located = await locate(repository, root, rawPathOf('/s/sub/hard'));
  assert.ok(located.kind === 'node');
  const [blob] = located.node.content ?? [];
  for (const bytes of [Buffer.alloc(0), Buffer.alloc(2)]) {
    const reader = {
      readBlob: async (type: 'data' | 'tree', id: BlobId) =>
        id === blob ? bytes : await repository.readBlob(type, id),
    };
    const dump = dumpFolder(reader, { tree: root, path: rawPathOf('/'), format: 'tar' }, options);
    await assert.rejects(collected(dump), (error) => hasCode(error, 'damaged'));
  }
});

test('nothing is told when all fits', { skip }, async () => {
  const events: Event[] = [];
  const listener = (event: Event): void => void events.push(event);
  await collected(
    dumpFolder(repository, { tree: root, path: rawPathOf('/'), format: 'tar' }, { ...options, listener }),
  );
  assert.deepEqual(events, []);
});
