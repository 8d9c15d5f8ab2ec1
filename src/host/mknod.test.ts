import assert from 'node:assert/strict';
import { lstatSync, symlinkSync } from 'node:fs';
import { test } from 'node:test';
import { absent } from '../../test/absences.ts';
import { tempDir } from '../../test/support/temp-dir.ts';
import { rawPathOf } from '../bytes/ids.ts';
import { makeSpecialNode } from './mknod.ts';
import { currentUser } from './users.ts';

test('a fifo is made, and nothing that stands there is replaced', async () => {
  await using dir = await tempDir();
  makeSpecialNode(rawPathOf(dir.file('fifo')), { kind: 'fifo' });
  assert.ok(lstatSync(dir.file('fifo')).isFIFO());
  symlinkSync('nowhere', dir.file('link'));
  for (const taken of ['fifo', 'link']) {
    assert.throws(() => makeSpecialNode(rawPathOf(dir.file(taken)), { kind: 'fifo' }), { code: 'EEXIST' });
  }
});

test(
  'device nodes carry their number, large ones too',
  { skip: currentUser().uid === 0 ? false : absent('root') },
  async () => {
    await using dir = await tempDir();
    // Major 0xabc, minor 0xfabcd as Linux packs them.
    const large = 0xfababccdn;
    makeSpecialNode(rawPathOf(dir.file('null')), { kind: 'char-device', device: 0x103n });
    makeSpecialNode(rawPathOf(dir.file('disk')), { kind: 'block-device', device: large });
    const [character, block] = ['null', 'disk'].map((name) => lstatSync(dir.file(name), { bigint: true }));
    assert.deepEqual([character?.isCharacterDevice(), character?.rdev], [true, 0x103n]);
    assert.deepEqual([block?.isBlockDevice(), block?.rdev], [true, large]);
  },
);
