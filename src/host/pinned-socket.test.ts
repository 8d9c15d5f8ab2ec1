import assert from 'node:assert/strict';
import { mkdir, readdir, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { test } from 'node:test';
import { listening } from '../../test/support/listening.ts';
import { tempDir } from '../../test/support/temp-dir.ts';
import { pinSocket } from './pinned-socket.ts';

async function reached(path: string): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const socket = connect(path);
  socket.once('connect', resolve).once('error', reject);
  await promise.finally(() => socket.destroy());
}

test('a pinned socket is reached in a folder of ours, also once its name leads elsewhere', async () => {
  await using dir = await tempDir();
  await mkdir(dir.file('own'));
  await using own = await listening(dir.file('own/socket'));
  await using other = await listening(dir.file('other'));
  {
    await using pinned = await pinSocket(dir.file('own'), 'socket');
    assert.ok(pinned.folder.length < 60);
    await rename(dir.file('own/socket'), dir.file('own/away'));
    await symlink(dir.file('other'), dir.file('own/socket'));
    await reached(`${pinned.folder}/socket`);
    assert.deepEqual(await readdir(pinned.folder), ['socket']);
  }
  assert.deepEqual([own.connections, other.connections], [1, 0]);
});

test('what is no socket is refused: a link to one, a folder that is a link, a file; and what is gone is told', async () => {
  await using dir = await tempDir();
  await mkdir(dir.file('own'));
  await mkdir(dir.file('real'));
  await using other = await listening(dir.file('real/socket'));
  await symlink(dir.file('real/socket'), dir.file('own/socket'));
  const refused = { code: 'damaged', message: /something else than a socket/ };
  await assert.rejects(pinSocket(dir.file('own'), 'socket'), refused);
  await rm(dir.file('own/socket'));
  await writeFile(dir.file('own/socket'), '');
  await assert.rejects(pinSocket(dir.file('own'), 'socket'), refused);
  await rm(dir.file('own'), { recursive: true });
  await assert.rejects(pinSocket(dir.file('own'), 'socket'), { code: 'source-failed', message: /is not there/ });
  await symlink(dir.file('real'), dir.file('own'));
  await assert.rejects(pinSocket(dir.file('own'), 'socket'), refused);
  assert.equal(other.connections, 0);
});
