import { hasCode } from '../errors/error.ts';
import { removeOwnObject, writeOwnObject } from '../repository/own-object.ts';
import type { Repository } from '../repository/repository.ts';
import { listChains, objectsIn, type ChainFiles } from './chain.ts';
import { bundleName, decodeRecord, encodeBundle } from './form.ts';
import type { StoredRecord, Writer } from './record.ts';

/** Of one object: a month of many records becomes several. */
const mostInBundle = 5000;

/**
 * Folds what a writer recorded in months that are over into bundles: one object for many, each record in it as it was
 * signed. The bundle is durable before what it replaces is removed; what may not be removed stays beside it, and is
 * read once. Resolves with how many records were folded.
 */
export async function foldClosedMonths(repository: Repository, writer: Writer, monthStartNs: bigint): Promise<number> {
  let folded = 0;
  for (const chain of await listChains(repository)) {
    if (chain.writer !== writer.id) continue;
    for (;;) {
      const run = await nextRun(repository, chain, folded, monthStartNs);
      if (run.length < 2) break;
      await fold(repository, chain, run, writer);
      folded += run.length;
      if (run.length < mostInBundle) break;
    }
  }
  return folded;
}

interface Loose {
  readonly record: StoredRecord;
  readonly object: Uint8Array;
}

/** The first records that stand alone and are of months that are over. */
async function nextRun(
  repository: Repository,
  chain: ChainFiles,
  skip: number,
  monthStartNs: bigint,
): Promise<readonly Loose[]> {
  const bundled = Math.max(0, ...chain.files.filter(({ from, to }) => to > from).map(({ to }) => to));
  const loose = chain.files.filter(({ from, to }) => from === to && from > bundled).slice(skip, skip + mostInBundle);
  const run: Loose[] = [];
  for (const file of loose) {
    for (const { name, object } of await objectsIn(repository, chain, file)) {
      const record = decodeRecord(object, name);
      if (record.timeNs >= monthStartNs) return run;
      run.push({ record, object });
    }
  }
  return run;
}

async function fold(
  repository: Repository,
  { component }: ChainFiles,
  run: readonly Loose[],
  writer: Writer,
): Promise<void> {
  const [from = 0, to = 0] = [run[0]?.record.sequence, run.at(-1)?.record.sequence];
  const objects = run.map(({ object }) => Buffer.from(object).toString('utf8'));
  const bundle = { component, writer: writer.id, from, to, objects };
  await writeOwnObject(repository, bundleName(bundle), encodeBundle(bundle, writer));
  for (const { record } of run) {
    try {
      await removeOwnObject(repository, record.name);
    } catch (error) {
      if (!hasCode(error, 'storage-denied', 'storage-not-found')) throw error;
    }
  }
}
