import assert from 'node:assert/strict';
import { mkdirSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { resticOk, withoutRestic } from './servers/restic.ts';
import type { RepositoryAt } from './support/holdfast.ts';
import { blobBytes } from './support/repository.ts';
import { tempDir, type TempDir } from './support/temp-dir.ts';
import { both, cheapRepository, copiesOf, expectExit, type Tool } from './support/two-tools.ts';

/** restic's own prune with the same flags, on a copy of the same repository, says what ours has to do. */
const skip = withoutRestic('0.19.1');

/** Packs by ID, with their sizes. */
type Packs = ReadonlyMap<string, number>;

function packsOf({ repository }: RepositoryAt): Packs {
  const files = readdirSync(join(repository, 'data'), { withFileTypes: true, recursive: true });
  const packs = files.filter((entry) => entry.isFile());
  return new Map(packs.map(({ name, parentPath }) => [name, statSync(join(parentPath, name)).size]));
}

function largestOf(packs: Packs): string {
  const [largest] = [...packs].toSorted(([, a], [, b]) => b - a);
  return largest?.[0] ?? assert.fail('there is no pack');
}

interface Pruned {
  /** Of the packs that were there before. */
  readonly left: readonly string[];
  readonly written: readonly number[];
}

/** Prunes a copy with each tool; what ours leaves, restic finds whole. */
async function pruned(template: RepositoryAt, dir: TempDir, args: readonly string[]): Promise<Record<Tool, Pruned>> {
  const before = packsOf(template);
  const copies = await copiesOf(template, dir.file(`copy${args.join('')}`));
  const outcome = await both(async (tool) => {
    await expectExit(0, tool, copies[tool], ['prune', ...args]);
    const after = [...packsOf(copies[tool])];
    return {
      left: after
        .map(([id]) => id)
        .filter((id) => before.has(id))
        .toSorted(),
      written: after.flatMap(([id, sizeBytes]) => (before.has(id) ? [] : [sizeBytes])),
    };
  });
  assert.match(await resticOk('0.19.1', copies.holdfast, ['check', '--read-data']), /no errors were found/);
  return outcome;
}

interface Stage {
  readonly at: RepositoryAt;
  readonly folder: string;
  readonly backup: (...args: readonly string[]) => Promise<void>;
}

async function stageIn(dir: TempDir): Promise<Stage> {
  const at = await cheapRepository(dir.file('template'));
  const folder = dir.file('files');
  mkdirSync(folder);
  return {
    at,
    folder,
    backup: async (...args) => void (await resticOk('0.19.1', at, ['backup', '-q', ...args, folder])),
  };
}

test(
  'prune --repack-small, and no flag at all, put ten small packs together as restic does, and not eight',
  { skip },
  async () => {
    await using dir = await tempDir();
    const { at, folder, backup } = await stageIn(dir);
    for (let number = 1; number <= 4; number += 1) {
      writeFileSync(join(folder, `${number}`), blobBytes(`${number}`, 5000));
      await backup();
      rmSync(join(folder, `${number}`));
    }
    const eight = await pruned(at, dir, []);
    assert.deepEqual(eight.holdfast, eight.restic);
    assert.deepEqual([eight.holdfast.left.length, eight.holdfast.written.length], [8, 0]);
    writeFileSync(join(folder, '5'), blobBytes('5', 5000));
    await backup();
    for (const args of [[], ['--repack-small']]) {
      const { holdfast, restic } = await pruned(at, dir, args);
      assert.deepEqual(holdfast.left, restic.left);
      assert.deepEqual([holdfast.left.length, holdfast.written.length, restic.written.length], [0, 2, 2]);
    }
  },
);

test('prune --repack-uncompressed compresses what restic does, and only with it', { skip }, async () => {
  await using dir = await tempDir();
  const { at, folder, backup } = await stageIn(dir);
  writeFileSync(join(folder, 'text'), 'says the same again and again\n'.repeat(10_000));
  await backup('--compression', 'off');
  const largest = largestOf(packsOf(at));
  const plain = await pruned(at, dir, []);
  assert.deepEqual(plain.holdfast, plain.restic);
  assert.ok(plain.holdfast.left.includes(largest));
  const { holdfast, restic } = await pruned(at, dir, ['--repack-uncompressed']);
  assert.deepEqual(holdfast.left, restic.left);
  assert.ok(!holdfast.left.includes(largest));
  for (const { written } of [holdfast, restic]) {
    assert.equal(written.length, 1);
    assert.ok((written[0] ?? Infinity) < 5000, `300,000 bytes of text became ${written[0]}`);
  }
});

test('prune --repack-cacheable-only rewrites trees and leaves data, as restic does', { skip }, async () => {
  await using dir = await tempDir();
  const { at, folder, backup } = await stageIn(dir);
  for (const name of ['kept', 'gone']) {
    mkdirSync(join(folder, name));
    writeFileSync(join(folder, name, 'file'), blobBytes(name, 100_000));
  }
  await backup();
  const largest = largestOf(packsOf(at));
  rmSync(join(folder, 'gone'), { recursive: true });
  await backup();
  await resticOk('0.19.1', at, ['forget', '-q', '--keep-last', '1']);
  const all = await pruned(at, dir, ['--max-unused', '0']);
  const trees = await pruned(at, dir, ['--max-unused', '0', '--repack-cacheable-only']);
  for (const { holdfast, restic } of [all, trees]) {
    assert.deepEqual(holdfast.left, restic.left);
    assert.equal(holdfast.written.length, restic.written.length);
  }
  assert.deepEqual([all.holdfast.left.includes(largest), all.holdfast.written.length], [false, 2]);
  assert.deepEqual([trees.holdfast.left.includes(largest), trees.holdfast.written.length], [true, 1]);
});
