import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { damage, work } from '../scripts/first-backup/changes.ts';
import { differences, inventoryOf } from '../scripts/first-backup/inventory.ts';
import { makeOriginals } from '../scripts/first-backup/originals.ts';
import { processIsAlive } from '../src/host/users.ts';
import { openStorage } from '../src/storage/open.ts';
import { budget } from './budget.ts';
import { rcloneProgram, withoutRclone } from './servers/rclone.ts';
import { resticOk, withoutRestic } from './servers/restic.ts';
import { proveConforms, needsOwnNames } from './support/conformance.ts';
import { holdfastOk } from './support/holdfast.ts';
import { runOk } from './support/run-program.ts';
import { tempDir, type TempDir } from './support/temp-dir.ts';

const skip = withoutRclone();

/** The command of an rclone that knows nothing of the user's own remotes: `disk` is a folder, `sealed` encrypts one. */
async function commandIn(dir: TempDir): Promise<string> {
  const password = (await runOk(await rcloneProgram(), ['obscure', 'secret'])).toString().trim();
  const sealed = ['[sealed]', 'type = crypt', `remote = ${dir.file('sealed')}`, `password = ${password}`];
  writeFileSync(dir.file('rclone.conf'), ['[disk]', 'type = local', ...sealed, ''].join('\n'));
  return `${await rcloneProgram()} --config ${dir.file('rclone.conf')}`;
}

async function optionsOf(dir: TempDir): Promise<ReadonlyMap<string, string>> {
  return new Map([['rclone.program', await commandIn(dir)]]);
}

for (const remote of ['disk', 'sealed']) {
  const what = remote === 'disk' ? 'a folder' : 'what it encrypts';
  test(`rclone keeps the contract on ${what}, through its names`, { skip, timeout: 180_000 }, async (context) => {
    await using dir = await tempDir();
    const url = `rclone:${remote}:${remote === 'disk' ? dir.file('data') : 'data'}`;
    await using storage = await openStorage(url, { options: await optionsOf(dir), create: true });
    const name = remote === 'disk' ? 'rclone (folder)' : 'rclone (crypt)';
    await proveConforms(context, name, storage, needsOwnNames);
  });
}

test(
  'a remote that rclone does not know, and an rclone that is none, are told in its words',
  { skip, timeout: 300_000 },
  async () => {
    await using dir = await tempDir();
    const options = await optionsOf(dir);
    await assert.rejects(openStorage('rclone:elsewhere:a', { options }), {
      code: 'storage-denied',
      message: /rclone:elsewhere:a: .*didn't find section in config file/,
    });
    const openWith = async (name: string, value: string): Promise<unknown> =>
      await openStorage('rclone:disk:a', { options: new Map([[name, value]]) });
    await assert.rejects(openWith('rclone.program', '/nowhere/rclone'), { code: 'storage-denied' });
    await assert.rejects(openWith('rclone.timeout', 'soon'), { code: 'usage' });
    const deaf = new Map([
      ['rclone.program', 'sleep'],
      ['rclone.args', '1000'],
      ['rclone.timeout', '200ms'],
    ]);
    await assert.rejects(openStorage('rclone:1', { options: deaf }), { message: /did not answer in 0.2 s/ });
  },
);

test('rclone ends with the storage; one that was killed is started anew', { skip, timeout: 300_000 }, async () => {
  await using dir = await tempDir();
  const program = `sh -c 'echo $$ > ${dir.file('pid')}; exec ${await commandIn(dir)} "$@"' sh`;
  const pid = (): number => Number(readFileSync(dir.file('pid'), 'utf8'));
  const storage = await openStorage(`rclone:disk:${dir.file('data')}`, {
    options: new Map([['rclone.program', program]]),
    create: true,
  });
  const key = 'locks/5891b5b522d5df086d0ff0b110fbd9d21bb4fc7163af34d08286a2e846f6be03'; // of 'hello' and a line end
  await storage.put(key, [Buffer.from('hello\n')]);
  const first = pid();
  process.kill(first, 'SIGKILL');
  await assert.rejects(storage.get(key), { code: 'storage-failed', message: /killed by SIGKILL/ });
  assert.equal(Buffer.from(await storage.get(key)).toString(), 'hello\n');
  assert.notEqual(pid(), first);
  await storage[Symbol.asyncDispose]();
  assert.ok(!processIsAlive(pid()));
});

test(
  'Holdfast and restic work on one repository through rclone',
  { skip: skip || withoutRestic('0.19.1'), timeout: 300_000 },
  async () => {
    await using dir = await tempDir();
    const at = { repository: `rclone:disk:${dir.file('repository')}`, password: 'two tools' };
    const through = ['-o', `rclone.program=${await commandIn(dir)}`];
    const originals = dir.file('originals');
    makeOriginals(originals, budget.originalsShare);
    await holdfastOk(at, [...through, 'init']);
    await holdfastOk(at, [...through, 'backup', originals]);
    work(originals);
    const wanted = inventoryOf(originals);
    await resticOk('0.19.1', at, [...through, 'backup', originals]);
    assert.match(await resticOk('0.19.1', at, [...through, 'check', '--read-data']), /no errors were found/);
    damage(originals);
    await holdfastOk(at, [...through, 'check', '--read-data']);
    await holdfastOk(at, [...through, 'restore', 'latest', '--target', dir.file('restored')]);
    assert.deepEqual(differences(wanted, inventoryOf(join(dir.file('restored'), originals))), []);
    await holdfastOk(at, [...through, 'forget', '--keep-last', '1', '--prune', '--max-unused', '0']);
    assert.match(await resticOk('0.19.1', at, [...through, 'check', '--read-data']), /no errors were found/);
  },
);
