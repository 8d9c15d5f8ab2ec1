import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { readdirSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { runHoldfast, type RepositoryAt } from './support/holdfast.ts';
import { tempDir } from './support/temp-dir.ts';
import { cheapRepository } from './support/two-tools.ts';

const mebibyte = 2 ** 20;
/** A pack is full once it has reached its size: so it has at most one chunk more, and its header. */
const largestChunk = 8 * mebibyte + 4096;

function packSizes({ repository }: RepositoryAt): readonly number[] {
  const files = readdirSync(join(repository, 'data'), { withFileTypes: true, recursive: true });
  return files.filter((entry) => entry.isFile()).map(({ name, parentPath }) => statSync(join(parentPath, name)).size);
}

test('--pack-size, or RESTIC_PACK_SIZE, says how large packs become', { timeout: 120_000 }, async () => {
  await using dir = await tempDir();
  writeFileSync(dir.file('file'), randomBytes(48 * mebibyte));
  const ways: readonly (readonly [target: number, args: readonly string[], env: Record<string, string>])[] = [
    [4, ['--pack-size', '4'], {}],
    [8, [], { RESTIC_PACK_SIZE: '8' }],
    [16, [], {}],
    [20, ['--pack-size', '20'], { RESTIC_PACK_SIZE: '8' }],
  ];
  for (const [target, args, env] of ways) {
    const at = await cheapRepository(dir.file(`repository${target}`));
    const { code } = await runHoldfast(at, ['backup', ...args, dir.file('file')], { env });
    assert.equal(code, 0);
    const sizes = packSizes(at);
    const full = sizes.filter((size) => size >= target * mebibyte);
    // Two packs are open when the data ends, and one of trees.
    assert.ok(sizes.length - full.length <= 3, `${sizes.join(' ')} for ${target}`);
    assert.ok(full.length > 0 && full.every((size) => size <= target * mebibyte + largestChunk), sizes.join(' '));
  }
});
