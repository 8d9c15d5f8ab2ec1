import assert from 'node:assert/strict';
import { mkdirSync, statfsSync, writeFileSync } from 'node:fs';
import { test } from 'node:test';
import { tempDir } from '../../test/support/temp-dir.ts';
import { assertPlace, roomOf } from './restore-place.ts';

test('a restore is refused where its disk has no room, unless a part of it is there already, and within what lives', async () => {
  await using dir = await tempDir();
  const target = dir.file('not/there/yet');
  const place = (bytes: number, standsIn?: string) => () =>
    assertPlace({ standsIn: () => standsIn }, { target, component: 'shop-db', bytes });
  place(1)();
  if (roomOf(statfsSync(dir.path)) !== undefined)
    assert.throws(place(2 ** 60), {
      code: 'refused',
      message: /1099511627776 MiB are needed in .*yet, and \d+ MiB are free/,
    });
  mkdirSync(`${target}/shop-db`, { recursive: true });
  writeFileSync(`${target}/shop-db/begun`, '');
  place(2 ** 60)();
  assert.throws(place(1, '/srv/data'), { code: 'refused', message: /lies within \/srv\/data, whose backups/ });
});

test('what can’t be looked into is left to the restore, which says why', async () => {
  await using dir = await tempDir();
  writeFileSync(dir.file('shop-db'), 'a file');
  assertPlace({ standsIn: () => undefined }, { target: dir.path, component: 'shop-db', bytes: 2 ** 60 });
});

test('a file system that tells nothing, or may compress, refuses nobody', () => {
  const ext4 = { type: 0xef53, blocks: 100, bavail: 10, bsize: 4096 };
  assert.equal(roomOf(ext4), 40_960);
  assert.equal(roomOf({ ...ext4, blocks: 0, bavail: 0 }), undefined);
  for (const type of [0x91_23_68_3e, 0x2f_c1_2f_c1]) assert.equal(roomOf({ ...ext4, type }), undefined);
});
