import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { rawPathOfByteString } from '../../bytes/ids.ts';
import { blobIdFor } from '../../crypto/id.ts';
import { hasCode } from '../../errors/error.ts';
import { Spool } from './spool.ts';

const facts = { mode: 0o600, uid: 1, gid: 2, mtimeNs: 1_700_000_000_000_000_000n };
const identity = { ctimeNs: 1_700_000_000_000_000_001n, inode: 2n ** 64n - 1n, deviceId: 2n ** 63n };

function storedAs(...texts: readonly string[]) {
  const ids = texts.map((text) => blobIdFor(Buffer.from(text)));
  return { ids, sizeBytes: 3, newBlobs: 1, newBytes: 3, storedBytes: 2 };
}

function file(path: string, crc32c = 0) {
  return {
    ...facts,
    path: rawPathOfByteString(path),
    type: 'file',
    crc32c,
    sizeBytes: 3,
    stored: storedAs(path),
  } as const;
}

/** A depth-first walk with each folder's children by name, in byte order, and the folder behind them. */
function walked(paths: readonly string[], folder = ''): readonly string[] {
  const below = paths.filter((path) => folder === '' || path.startsWith(`${folder}/`));
  const start = folder === '' ? 0 : folder.length + 1;
  const names = [...new Set(below.map((path) => path.slice(start).split('/')[0] ?? ''))];
  const inOrder = names
    .toSorted((a, b) => (a < b ? -1 : 1))
    .map((name) => (folder === '' ? name : `${folder}/${name}`));
  return inOrder.flatMap((path) => (below.includes(path) ? [path] : [...walked(paths, path), path]));
}

test('whatever the order in which files arrive, they are given back as a tree is walked', () => {
  const name = fc.string({
    unit: fc.constantFrom('a', 'b', '-', '.', '\x01', '\xff', '0'),
    minLength: 1,
    maxLength: 3,
  });
  const paths = fc.array(
    fc.array(name, { minLength: 1, maxLength: 3 }).map((parts) => parts.join('/')),
    { maxLength: 12 },
  );
  fc.assert(
    fc.property(paths, (given) => {
      const all = [...new Set(given)];
      const files = all.filter((path) => !all.some((other) => other.startsWith(`${path}/`)));
      const folders = new Set(files.flatMap((path) => above(path)));
      using spool = new Spool();
      for (const path of files) spool.addFile(file(path));
      for (const path of folders) spool.addFolder({ ...facts, path: rawPathOfByteString(path), type: 'dir' });
      assert.deepEqual(
        [...spool.items()].map(({ path }) => path),
        walked(files),
      );
    }),
    { numRuns: 200 },
  );
});

function above(path: string): readonly string[] {
  const parts = path.split('/').slice(0, -1);
  return parts.map((_, at) => parts.slice(0, at + 1).join('/'));
}

test('what is spooled comes back whole, and what has no place in the snapshot does not', () => {
  using spool = new Spool();
  const stored = storedAs('one', 'two', 'three');
  spool.addFile({ ...file('base/1/112'), stored });
  spool.addFile({ ...file('base/1/113'), stored, identity });
  spool.addFile({ ...file('standby.signal', 5), stored: undefined });
  const kept = { ...facts, type: 'file', stored } as const;
  assert.deepEqual(
    [...spool.items()],
    [
      { ...kept, path: 'base/1/112' },
      { ...kept, path: 'base/1/113', identity },
    ],
  );
  const { mtimeNs } = facts;
  const listed = { mtimeNs, sizeBytes: 3 };
  assert.deepEqual([...spool.files()].slice(0, 1), [{ ...listed, path: 'base/1/112', crc32c: 0 }]);
  assert.deepEqual(spool.list(rawPathOfByteString('standby.signal')), { crc32c: 5, sizeBytes: 3 });
  assert.deepEqual([...spool.unlisted()], ['base/1/112', 'base/1/113']);
  assert.equal(spool.list(rawPathOfByteString('missing')), undefined);
});

test('a file that arrives twice is refused', () => {
  using spool = new Spool();
  spool.addFile(file('a'));
  assert.throws(
    () => spool.addFile(file('a')),
    (error) => hasCode(error, 'source-failed'),
  );
});
