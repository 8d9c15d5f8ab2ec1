import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import fc from 'fast-check';
import { systemClock } from '../src/clock/clock.ts';
import { silent } from '../src/events/events.ts';
import { createRepository } from '../src/repository/create.ts';
import { executePrune, planPrune, pruneDefaults, type PruneOptions, type PrunePlan } from '../src/repository/prune.ts';
import type { Repository } from '../src/repository/repository.ts';
import { listSnapshots } from '../src/snapshot/snapshots.ts';
import { usedBlobs } from '../src/snapshot/used-blobs.ts';
import { openLocal } from '../src/storage/local.ts';
import { budget } from './budget.ts';
import { resticOk, withoutRestic, type ResticRepository } from './servers/restic.ts';
import { writerOptions } from './support/pipeline.ts';
import { prove } from './support/proof.ts';
import { testKey, testPassword } from './support/repository.ts';
import { tempDir } from './support/temp-dir.ts';

const kib = 1024;
const mib = 1024 * kib;
const signal = new AbortController().signal;
const clock = systemClock;

interface Choice {
  readonly args: readonly string[];
  /** Which of several packs without unused blobs come under the limit is left open by restic's sorting. */
  readonly tiesMatter?: true;
  readonly options: Partial<PruneOptions>;
}

const choices: readonly Choice[] = [
  { args: [], options: {} },
  { args: ['--max-unused', '0'], options: { maxUnused: { kind: 'bytes', bytes: 0 } } },
  { args: ['--max-unused', '30%'], options: { maxUnused: { kind: 'percent', percent: 30 } } },
  { args: ['--max-unused', 'unlimited'], options: { maxUnused: { kind: 'unlimited' } } },
  {
    args: ['--max-unused', '0', '--max-repack-size', '9M'],
    tiesMatter: true,
    options: { maxUnused: { kind: 'bytes', bytes: 0 }, maxRepackBytes: 9 * mib },
  },
  {
    args: ['--max-unused', '0', '--repack-cacheable-only'],
    options: { maxUnused: { kind: 'bytes', bytes: 0 }, repackCacheableOnly: true },
  },
  { args: ['--repack-smaller-than', '3M'], options: { repackSmallerThanBytes: 3 * mib } },
  { args: ['--repack-uncompressed'], options: { repackUncompressed: true } },
];

/** What changes before each backup: files by number, written anew with so many KiB, or removed with 0. */
const anyStep = fc.record({
  changes: fc.array(fc.record({ file: fc.nat(11), sizeKib: fc.constantFrom(0, 3, 40, 700, 2500, 6000) }), {
    minLength: 1,
    maxLength: 6,
  }),
  compression: fc.constantFrom('auto', 'off'),
});
const anyHistory = fc.record({
  steps: fc.array(anyStep, { minLength: 3, maxLength: 6 }),
  forgotten: fc.nat(30),
  seed: fc.nat(),
});

type History = typeof anyHistory extends fc.Arbitrary<infer T> ? T : never;

function bytesOf(name: string, sizeKib: number): Buffer {
  return createHash('shake256', { outputLength: sizeKib * kib })
    .update(name)
    .digest();
}

/**
 * Before anything else, two files that fit in one pack together: restic packs so little as one, however chance deals
 * its blobs out. One goes at once and the other stays, and the first snapshot is always forgotten and the last never:
 * so there is always a pack that is used in part.
 */
async function play(at: ResticRepository, folder: string, { steps, forgotten, seed }: History): Promise<void> {
  mkdirSync(folder);
  writeFileSync(join(folder, 'always'), bytesOf(`${seed} always`, 200));
  writeFileSync(join(folder, 'once'), bytesOf(`${seed} once`, 300));
  await resticOk('0.19.1', at, ['backup', '-q', '--pack-size', '4', folder]);
  rmSync(join(folder, 'once'));
  for (const [number, { changes, compression }] of steps.entries()) {
    for (const { file, sizeKib } of changes) {
      const path = join(folder, `${file}`);
      rmSync(path, { force: true });
      if (sizeKib > 0) writeFileSync(path, bytesOf(`${seed} ${number} ${file}`, sizeKib));
    }
    await resticOk('0.19.1', at, ['backup', '-q', '--pack-size', '4', '--compression', compression, folder]);
  }
  const listed: unknown = JSON.parse(await resticOk('0.19.1', at, ['snapshots', '--json']));
  const ids = Array.isArray(listed) ? listed.map((each: { readonly id: string }) => each.id) : [];
  const chosen = ids.filter((_id, number) => number > 0 && ((forgotten >> (number - 1)) & 1) === 1);
  const gone = [...ids.slice(0, 1), ...chosen.filter((id) => id !== ids.at(-1))];
  await resticOk('0.19.1', at, ['forget', '-q', ...gone]);
}

async function ourPlan(repository: Repository, options: Partial<PruneOptions>): ReturnType<typeof planPrune> {
  const findUsed = async (): ReturnType<typeof usedBlobs> => {
    const found = await listSnapshots(repository);
    const trees = found.map((each) =>
      each.kind === 'snapshot' ? each.snapshot.tree : assert.fail(each.error.message),
    );
    return usedBlobs(repository, trees, { listener: silent, signal });
  };
  return planPrune(repository, { prune: { ...pruneDefaults, ...options }, findUsed, clock, listener: silent, signal });
}

/** What restic says that it would do, in the words of its dry run. */
function theirPlan(output: string): Record<string, string> {
  const packs = (heading: string): string => {
    const list = new RegExp(`Would have ${heading}:\\n\\{(.*)\\}`).exec(output)?.[1] ?? '';
    return list.split(' ').sort().join(' ').trim();
  };
  const count = (label: string): string =>
    new RegExp(`${label}: +(\\d+ (?:blobs|packs|$))`, 'm').exec(output)?.[1] ?? '';
  return {
    repack: packs('repacked and removed the following packs'),
    remove: packs('removed the following no longer used packs'),
    used: count('used'),
    unused: count('unused'),
    toRepack: count('to repack'),
    removes: count('this removes'),
    remaining: count('remaining'),
    keep: /to keep: +(\d+) packs/.exec(output)?.[1] ?? '',
  };
}

function inTheirWords({ repack, remove, statistics: { blobs, packs } }: PrunePlan): Record<string, string> {
  const short = (ids: readonly string[]): string =>
    ids
      .map((id) => id.slice(0, 8))
      .sort()
      .join(' ');
  return {
    repack: short(repack),
    remove: short(remove),
    used: `${blobs.used} blobs`,
    unused: `${blobs.unused} blobs`,
    toRepack: `${blobs.repack} blobs`,
    removes: `${blobs.repackRemove} blobs`,
    remaining: `${blobs.remaining} blobs`,
    keep: `${packs.keep}`,
  };
}

/** Each makes some twenty calls of restic. */
const histories = Math.ceil(budget.programRuns / 2);
const skip = withoutRestic('0.19.1');

test(
  'prune plans exactly what restic plans, and what it leaves restic finds whole',
  { skip, timeout: 3_600_000 },
  async (context) => {
    let compared = 0;
    let rewriting = 0;
    const holds = fc.asyncProperty(anyHistory, async (history) => {
      await using dir = await tempDir();
      const at = { repository: dir.file('repository'), password: testPassword };
      const storage = await openLocal(at.repository, { create: true });
      await using repository = await createRepository({ storage, clock, key: testKey, version: 2 });
      await play(at, dir.file('files'), history);
      for (const { args, options, tiesMatter } of choices.filter(
        (_choice, number) => number % 2 === history.seed % 2,
      )) {
        const theirs = theirPlan(await resticOk('0.19.1', at, ['prune', '--dry-run', '-v', ...args]));
        const { plan } = await ourPlan(repository, options);
        if (tiesMatter) assert.equal(inTheirWords(plan)['remove'], theirs['remove']);
        else assert.deepEqual(inTheirWords(plan), theirs, args.join(' '));
        compared += 1;
      }
      const options = { ...pruneDefaults, maxUnused: { kind: 'bytes', bytes: 0 } } as const;
      const { plan, used } = await ourPlan(repository, options);
      rewriting += plan.repack.length > 0 ? 1 : 0;
      await executePrune(repository, plan, { ...options, used, writer: writerOptions(), listener: silent });
      assert.match(await resticOk('0.19.1', at, ['check', '--read-data']), /no errors were found/);
      const after = await ourPlan(repository, options);
      assert.deepEqual([after.plan.remove, after.plan.statistics.blobs.unused], [[], 0]);
    });
    await fc.assert(holds, { numRuns: histories, endOnFailure: true });
    assert.ok(compared >= (histories * choices.length) / 2);
    assert.ok(rewriting >= histories, `only ${rewriting} of ${histories} histories rewrite packs`);
    prove(context, { claim: 'prune decides as restic does', count: `${compared} plans` });
  },
);
