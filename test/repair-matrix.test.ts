import assert from 'node:assert/strict';
import { test } from 'node:test';
import { displayPath } from '../src/bytes/ids.ts';
import type { JobContext } from '../src/job/job.ts';
import type { Storage } from '../src/storage/storage.ts';
import { resticOk, withoutRestic } from './servers/restic.ts';
import { cutOff, flipBit, keysOfKind } from './support/damage.ts';
import { cheapKey, examine } from './support/engine.ts';
import { checked } from './support/operations.ts';
import { indexRepaired, keysOf, packsRepaired, patient, snapshotsRepaired } from './support/repairing.ts';
import { storedIn } from './support/stored-in.ts';
import { tempDir } from './support/temp-dir.ts';

interface Damage {
  readonly name: string;
  /** Whether any file may be lost by it. */
  readonly costs: 'nothing' | 'data';
  readonly inflict: (storage: Storage, context: JobContext) => Promise<unknown>;
}

async function first(storage: Storage, context: JobContext, kind: 'data pack' | 'tree pack'): Promise<string> {
  return (await keysOfKind(storage, context, kind))[0] ?? assert.fail(`there is no ${kind}`);
}

const damages: readonly Damage[] = [
  {
    name: 'every index file is gone',
    costs: 'nothing',
    inflict: async (storage) => {
      for (const key of await keysOf(storage, 'index/')) await storage.remove(key);
    },
  },
  {
    name: 'an index file is torn',
    costs: 'nothing',
    inflict: async (storage) => await cutOff(storage, (await keysOf(storage, 'index/'))[0] ?? '', () => 0.5),
  },
  {
    name: 'a data pack is gone',
    costs: 'data',
    inflict: async (storage, context) => await storage.remove(await first(storage, context, 'data pack')),
  },
  {
    name: 'a data pack is torn',
    costs: 'data',
    inflict: async (storage, context) => await cutOff(storage, await first(storage, context, 'data pack'), () => 0.2),
  },
  {
    name: 'a data pack has a wrong bit',
    costs: 'data',
    inflict: async (storage, context) => await flipBit(storage, await first(storage, context, 'data pack'), () => 0.05),
  },
  {
    name: 'a pack of trees is gone',
    costs: 'data',
    inflict: async (storage, context) => await storage.remove(await first(storage, context, 'tree pack')),
  },
  {
    name: 'a pack of trees is torn',
    costs: 'data',
    inflict: async (storage, context) => await cutOff(storage, await first(storage, context, 'tree pack'), () => 0.5),
  },
];

for (const { name, costs, inflict } of damages) {
  test(`${name}: repaired as far as can be, and what is lost is what check named`, { timeout: 300_000 }, async (t) => {
    await using dir = await tempDir();
    const { storage, context } = await patient();
    const before = await examine(storage);
    await inflict(storage, context);
    await indexRepaired(context);
    const found = await checked(context, 'data');
    await packsRepaired(context, dir);
    const { repairs } = await snapshotsRepaired(context, 'forget');
    const lost = repairs.flatMap(({ snapshot, changes }) =>
      changes.map(({ path }) => `${snapshot.id} ${displayPath(path)}`),
    );
    const named = new Set(found.affected.map(({ snapshot, path }) => `${snapshot} ${path}`));
    assert.deepEqual([...named].toSorted(), lost.toSorted());
    assert.equal(lost.length > 0, costs === 'data');
    const after = await examine(storage);
    assert.deepEqual(after.findings, []);
    if (costs === 'nothing') assert.deepEqual(after.snapshots, before.snapshots);
    const reason = withoutRestic('0.19.1');
    if (reason !== false) return t.diagnostic(`not checked by restic: ${reason}`);
    storedIn(dir.file('repository'), storage);
    const at = { repository: dir.file('repository'), password: cheapKey.password };
    assert.match(await resticOk('0.19.1', at, ['check', '--read-data']), /no errors were found/);
  });
}
