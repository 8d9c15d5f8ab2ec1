import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { differences, inventoryOf } from '../scripts/first-backup/inventory.ts';
import { makeOriginals } from '../scripts/first-backup/originals.ts';
import { seededRandom } from '../src/storage/seeded.ts';
import { cuttingProxy, httpProxy, type NetworkFault } from './servers/proxy.ts';
import { startRestServer, withoutRestServer } from './servers/rest-server.ts';
import { startSshd, withoutSshd } from './servers/sshd.ts';
import { holdfastOk, type RepositoryAt } from './support/holdfast.ts';
import { prove } from './support/proof.ts';
import { tempDir } from './support/temp-dir.ts';

const faults: readonly NetworkFault[] = ['drop', 'lost-answer', 'truncate', 'duplicate', 'delay'];
const patience = { timeoutMs: 240_000 };

/** Everything that a team does, and back comes what was backed up. */
async function backUpAndRestore(at: RepositoryAt, options: readonly string[]): Promise<void> {
  await using dir = await tempDir();
  const originals = dir.file('originals');
  makeOriginals(originals);
  writeFileSync(join(originals, 'large'), randomBytes(6 * 1024 * 1024));
  const run = async (...args: readonly string[]): Promise<string> =>
    await holdfastOk(at, [...options, '--pack-size', '4', ...args], patience);
  await run('init');
  await run('backup', originals);
  await run('backup', '--force', originals);
  await run('forget', '--keep-last', '1', '--prune');
  await run('check', '--read-data');
  await run('restore', 'latest', '--target', dir.file('restored'));
  const [wanted, found] = [inventoryOf(originals), inventoryOf(join(dir.file('restored'), originals))];
  assert.deepEqual(differences(wanted, found), []);
}

test(
  'a REST server behind a network that drops, delays, cuts and repeats loses nothing',
  { skip: withoutRestServer(), timeout: 600_000 },
  async (context) => {
    const seed = 11;
    const random = seededRandom(seed);
    const faultFor = (): NetworkFault | undefined =>
      random() < 0.12 ? faults[Math.floor(random() * faults.length)] : undefined;
    await using server = await startRestServer();
    await using proxy = await httpProxy(server.port, faultFor);
    const at = { repository: `rest:http://127.0.0.1:${proxy.port}/team/`, password: 'bad network' };
    await backUpAndRestore(at, []);
    for (const fault of faults) assert.ok((proxy.struck.get(fault) ?? 0) > 0, `${fault} never struck`);
    const count = [...proxy.struck.values()].reduce((sum, one) => sum + one, 0);
    prove(context, {
      claim: 'a bad network before a REST server loses nothing',
      count: `${count} faults`,
      seeds: [seed],
    });
  },
);

test(
  'an SFTP server behind a network that cuts connections loses nothing',
  { skip: withoutSshd(), timeout: 600_000 },
  async (context) => {
    const seed = 12;
    const random = seededRandom(seed);
    // Every other connection lives: what is read at once shares one, and would never come through together.
    const cutAfterBytes = (): number => (random() < 0.6 ? 300_000 + random() * 2_000_000 : Infinity);
    await using server = await startSshd();
    await using proxy = await cuttingProxy(server.port, cutAfterBytes);
    const args = server.args.replace(/-p \d+/, `-p ${proxy.port} -o HostKeyAlias=[127.0.0.1]:${server.port}`);
    const at = { repository: server.address('team'), password: 'bad network' };
    await backUpAndRestore(at, ['-o', `sftp.args=${args}`]);
    const cuts = proxy.struck.get('truncate') ?? 0;
    assert.ok(cuts >= 3, `only ${cuts} cuts`);
    prove(context, {
      claim: 'a network that cuts SFTP connections loses nothing',
      count: `${cuts} cuts`,
      seeds: [seed],
    });
  },
);
