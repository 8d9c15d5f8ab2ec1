import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { suite, test } from 'node:test';
import { differences, inventoryOf } from '../scripts/first-backup/inventory.ts';
import { makeOriginals } from '../scripts/first-backup/originals.ts';
import { seededRandom } from '../src/storage/seeded.ts';
import { budget } from './budget.ts';
import { withoutGo } from './servers/go-program.ts';
import { cuttingProxy, httpProxy, networkFaults, type FaultFor, type Proxy } from './servers/proxy.ts';
import { startRestServer, withoutRestServer } from './servers/rest-server.ts';
import { startSshd, withoutSshd } from './servers/sshd.ts';
import { versitygw } from './servers/versitygw.ts';
import { holdfastOk, type RepositoryAt } from './support/holdfast.ts';
import { prove } from './support/proof.ts';
import { tempDir } from './support/temp-dir.ts';

const timeout = 600_000;
const reorderingSftp = join(import.meta.dirname, 'servers/reordering-sftp.ts');

interface Means {
  readonly options?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
}

/** Everything that a team does, and back comes what was backed up. */
async function backUpAndRestore(at: RepositoryAt, { options = [], env = {} }: Means): Promise<void> {
  await using dir = await tempDir();
  const originals = dir.file('originals');
  makeOriginals(originals, budget.originalsShare);
  writeFileSync(join(originals, 'large'), randomBytes(5 * 1024 * 1024));
  const run = async (...args: readonly string[]): Promise<string> =>
    await holdfastOk(at, [...options, '--pack-size', '4', ...args], { timeoutMs: 240_000, env });
  await run('init');
  await run('backup', originals);
  await run('backup', '--force', originals);
  await run('forget', '--keep-last', '1', '--prune');
  await run('check', '--read-data');
  await run('restore', 'latest', '--target', dir.file('restored'));
  const [wanted, found] = [inventoryOf(originals), inventoryOf(join(dir.file('restored'), originals))];
  assert.deepEqual(differences(wanted, found), []);
}

/**
 * Some requests meet a fault, all kinds in turn. Answers can be reordered only where there is another, and few requests
 * stand beside one on a fast host: the first such are all taken.
 */
function faultsBy(seed: number): FaultFor {
  const random = seededRandom(seed);
  const due = [...networkFaults];
  let reordered = 0;
  return ({ beside }) => {
    const isFirst = beside > 0 && reordered < 6;
    if (!isFirst && random() >= budget.networkFaults) return undefined;
    const at = due.findIndex((fault) => (isFirst ? fault === 'reorder' : fault !== 'reorder' || beside > 0));
    if (due[at] === 'reorder') reordered += 1;
    const chosen = due.splice(at, 1);
    due.push(...chosen);
    return chosen[0];
  };
}

function struckBy({ struck }: Proxy): number {
  for (const fault of networkFaults) assert.ok((struck.get(fault) ?? 0) > 0, `${fault} never struck`);
  return [...struck.values()].reduce((sum, one) => sum + one, 0);
}

// Most of their time is spent waiting for the next attempt.
suite('a bad network', { concurrency: 3 }, () => {
  test(
    'a REST server behind a network that drops, delays, cuts, repeats and reorders loses nothing',
    { skip: withoutRestServer(), timeout },
    async (context) => {
      const seed = 11;
      await using server = await startRestServer();
      await using proxy = await httpProxy(server.port, faultsBy(seed));
      await backUpAndRestore({ repository: `rest:http://127.0.0.1:${proxy.port}/team/`, password: 'bad network' }, {});
      const count = `${struckBy(proxy)} faults`;
      prove(context, { claim: 'a bad network before a REST server loses nothing', count, seeds: [seed] });
    },
  );

  test(
    'an S3 server behind a network that drops, delays, cuts, repeats and reorders loses nothing',
    { skip: withoutGo(), timeout },
    async (context) => {
      const seed = 13;
      await using server = await versitygw();
      await using proxy = await httpProxy(server.running.port, faultsBy(seed));
      const at = { repository: `s3:http://127.0.0.1:${proxy.port}/bucket/team`, password: 'bad network' };
      await backUpAndRestore(at, { env: server.owner });
      const count = `${struckBy(proxy)} faults`;
      prove(context, { claim: 'a bad network before an S3 server loses nothing', count, seeds: [seed] });
    },
  );

  test(
    'an SFTP server behind a network that cuts connections, and whose answers change their order, loses nothing',
    { skip: withoutSshd(), timeout },
    async (context) => {
      const seed = 12;
      const random = seededRandom(seed);
      // Every other connection lives: what is read at once shares one, and would never come through together.
      const cutAfterBytes = (): number => (random() < 0.6 ? 300_000 + random() * 2_000_000 : Infinity);
      await using dir = await tempDir();
      await using server = await startSshd();
      await using proxy = await cuttingProxy(server.port, cutAfterBytes);
      const args = server.args.replace(/-p \d+/, `-p ${proxy.port} -o HostKeyAlias=[127.0.0.1]:${server.port}`);
      const ssh = `ssh 127.0.0.1 -l ${server.user} ${args} -s sftp`;
      const command = `${process.execPath} ${reorderingSftp} ${seed} ${dir.file('overtaken')} ${ssh}`;
      const at = { repository: server.address('team'), password: 'bad network' };
      await backUpAndRestore(at, { options: ['-o', `sftp.command=${command}`] });
      const cuts = proxy.struck.get('truncate') ?? 0;
      assert.ok(cuts >= 3, `only ${cuts} cuts`);
      const overtaken = readFileSync(dir.file('overtaken')).length;
      assert.ok(overtaken >= 100, `only ${overtaken} answers overtaken`);
      prove(context, {
        claim: 'a network that cuts SFTP connections and reorders answers loses nothing',
        count: `${cuts} cuts, ${overtaken} answers overtaken`,
        seeds: [seed],
      });
    },
  );
});
