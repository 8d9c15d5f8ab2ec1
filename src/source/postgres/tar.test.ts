import assert from 'node:assert/strict';
import { mkdir, writeFile } from 'node:fs/promises';
import { test } from 'node:test';
import fc from 'fast-check';
import { hasCode } from '../../errors/error.ts';
import { runOk } from '../../../test/support/run-program.ts';
import { tempDir } from '../../../test/support/temp-dir.ts';
import { tarMembers } from './tar.ts';

async function* pieces(bytes: Uint8Array, size: number): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

async function read(archive: Uint8Array, pieceBytes = 1000): Promise<readonly (readonly [string, string, string])[]> {
  const found: [string, string, string][] = [];
  for await (const { path, type, data } of tarMembers(pieces(archive, pieceBytes))) {
    const content = Buffer.concat(await Array.fromAsync(data)).toString();
    found.push([type, path, content]);
  }
  return found;
}

/** A real archive in the old format that PostgreSQL writes too. */
async function archiveOf(files: Readonly<Record<string, string>>): Promise<Uint8Array> {
  await using dir = await tempDir();
  await mkdir(dir.file('base'));
  for (const [name, content] of Object.entries(files)) await writeFile(dir.file('base', name), content);
  return await runOk('tar', ['--format=ustar', '--sort=name', '-C', dir.path, '-cf', '-', './base']);
}

test('an archive is read in pieces of any size', async () => {
  const archive = await archiveOf({ empty: '', full: 'x'.repeat(512), odd: 'y'.repeat(1300) });
  const expected = [
    ['dir', 'base', ''],
    ['file', 'base/empty', ''],
    ['file', 'base/full', 'x'.repeat(512)],
    ['file', 'base/odd', 'y'.repeat(1300)],
  ];
  await fc.assert(
    fc.asyncProperty(fc.integer({ min: 1, max: 3000 }), async (size) =>
      assert.deepEqual(await read(archive, size), expected),
    ),
    { numRuns: 30 },
  );
});

test('an archive without its closing blocks is whole, and one that ends within a file is not', async () => {
  const archive = await archiveOf({ full: 'x'.repeat(1000) });
  const closed = 2 * 512 + 512 + 1024;
  assert.equal((await read(archive.subarray(0, closed - 512))).length, 2);
  const failing = async (bytes: Uint8Array): Promise<void> =>
    await assert.rejects(read(bytes), (error) => hasCode(error, 'source-failed'));
  await failing(archive.subarray(0, 512 + 512 + 900));
  await failing(archive.subarray(0, 512 + 100));
});

test('a header whose checksum is wrong is refused, as is something behind the end', async () => {
  const archive = Uint8Array.from(await archiveOf({ full: 'x' }));
  const damaged = Uint8Array.from(archive);
  damaged[3] = 0x41;
  await assert.rejects(read(damaged), /checksum of a header/);
  archive[archive.length - 1] = 1;
  await assert.rejects(read(archive), /something follows its end/);
});

/** Writes the checksum that a header has to have. */
function sign(header: Buffer): void {
  header.write('        ', 148, 'latin1');
  const sum = header.reduce((total, byte) => total + byte, 0);
  header.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148, 'latin1');
}

test('a size beyond 8 GiB is read from base 256', async () => {
  const header = Buffer.from((await archiveOf({})).subarray(0, 512));
  header.write('big\0', 0, 'latin1');
  header.write('0', 156, 'latin1');
  header.fill(0, 124, 136);
  header[124] = 0x80;
  header.writeBigUInt64BE(9n * 2n ** 30n, 128);
  sign(header);
  for await (const { sizeBytes } of tarMembers(pieces(header, 512))) {
    assert.equal(sizeBytes, 9 * 2 ** 30);
    return;
  }
  assert.fail('no member was found');
});

for (const name of ['../../etc/passwd', 'base/../../x', '/etc/passwd']) {
  test(`a member named ${name} is refused`, async () => {
    const header = Buffer.from((await archiveOf({})).subarray(0, 512));
    header.fill(0, 0, 100);
    header.write(name, 0, 'latin1');
    sign(header);
    await assert.rejects(read(header), (error) => hasCode(error, 'source-failed'));
  });
}
