import assert from 'node:assert/strict';
import { test } from 'node:test';
import { assertRoom, disksFor, roomAt } from './room.ts';

const mib = 2 ** 20;

test('room is counted by disk, whatever folders of it are named, and each disk that lacks it is named', async () => {
  const look = async (folder: string) =>
    folder.startsWith('/fast') ? { device: 2, freeBytes: 5 * mib } : { device: 1, freeBytes: 50 * mib };
  const disks = await disksFor(
    [
      { folder: '/srv', bytes: 40 * mib },
      { folder: '/fast/a', bytes: 3 * mib },
      { folder: '/fast/b', bytes: 4 * mib },
    ],
    look,
  );
  assert.deepEqual(disks, [
    { folder: '/srv', bytes: 40 * mib, freeBytes: 50 * mib },
    { folder: '/fast/a', bytes: 7 * mib, freeBytes: 5 * mib },
  ]);
  const refused = { code: 'refused', message: '7 MiB are needed in /fast/a, and 5 MiB are free' };
  assert.throws(() => assertRoom(disks), refused);
  assertRoom(disks.slice(0, 1));
  const both = disks.map((disk) => ({ ...disk, freeBytes: mib }));
  assert.throws(() => assertRoom(both), { message: /^40 MiB .* in \/srv, .*; 7 MiB .* in \/fast\/a/ });
});

test('a folder tells which disk it is on, and how much is free there', async () => {
  const { device, freeBytes } = await roomAt('/');
  assert.ok(Number.isInteger(device) && freeBytes >= 0);
});
