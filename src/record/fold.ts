import { hasCode, HoldfastError } from '../errors/error.ts';
import { readOwnObject, removeOwnObject, writeOwnObject } from '../repository/own-object.ts';
import type { Repository } from '../repository/repository.ts';
import { listChains, type ChainFiles } from './chain.ts';
import { bundleName, decodeRecord, encodeBundle } from './form.ts';
import type { StoredRecord, Writer } from './record.ts';

/** Of one object: a month of many records becomes several. */
const mostInBundle = 5000;
/** Far less than what a file of ours may hold when it is read again. */
const mostBytesInBundle = 32 * 1024 * 1024;

/**
 * Folds what a writer recorded in months that are over into bundles: one object for many, each record in it as it was
 * signed. The bundle is durable and was read back before what it replaces is removed; what may not be removed stays beside it, and is
 * read once. Resolves with how many records were folded.
 */
export async function foldClosedMonths(repository: Repository, writer: Writer, monthStartNs: bigint): Promise<number> {
  let folded = 0;
  for (const chain of await listChains(repository)) {
    if (chain.writer !== writer.id) continue;
    for (let done = 0; ;) {
      const run = await nextRun(repository, chain, done, monthStartNs);
      if (run.length < 2) break;
      if (!(await fold(repository, chain, run, writer))) break;
      folded += run.length;
      done += run.length;
    }
  }
  return folded;
}

interface Loose {
  readonly record: StoredRecord;
  readonly object: Uint8Array;
}

/** The next records that stand alone, without a gap, and are of months that are over. */
async function nextRun(
  repository: Repository,
  chain: ChainFiles,
  skip: number,
  monthStartNs: bigint,
): Promise<readonly Loose[]> {
  const bundled = Math.max(0, ...chain.files.filter(({ from, to }) => to > from).map(({ to }) => to));
  const loose = chain.files.filter(({ from, to }) => from === to && from > bundled).slice(skip, skip + mostInBundle);
  const run: Loose[] = [];
  let [next, sizeBytes] = [bundled + skip + 1, 0];
  for (const file of loose) {
    if (file.from !== next) return run;
    const object = await objectOf(repository, file.name);
    if (object === undefined) return [];
    const record = decodeRecord(object, file.name);
    sizeBytes += object.length;
    if (record.timeNs >= monthStartNs || sizeBytes > mostBytesInBundle) return run;
    run.push({ record, object });
    next += 1;
  }
  return run;
}

/** Undefined where another process has folded it meanwhile. */
async function objectOf(repository: Repository, name: string): Promise<Uint8Array | undefined> {
  try {
    return await readOwnObject(repository, name);
  } catch (error) {
    if (!hasCode(error, 'storage-not-found')) throw error;
    return undefined;
  }
}

/** False where another process folds them just now. */
async function fold(
  repository: Repository,
  { component }: ChainFiles,
  run: readonly Loose[],
  writer: Writer,
): Promise<boolean> {
  const [from = 0, to = 0] = [run[0]?.record.sequence, run.at(-1)?.record.sequence];
  const objects = run.map(({ object }) => Buffer.from(object).toString('utf8'));
  const bundle = { component, writer: writer.id, from, to, objects };
  const [name, encoded] = [bundleName(bundle), encodeBundle(bundle, writer)];
  try {
    await writeOwnObject(repository, name, encoded);
  } catch (error) {
    if (!hasCode(error, 'storage-exists')) throw error;
    return false;
  }
  // Nothing else holds these records: what a storage says that it took is no proof of what it gives back.
  if (!Buffer.from(encoded).equals(await readOwnObject(repository, name)))
    throw new HoldfastError('damaged', `${name} is not what was written; the records that it holds stay beside it`);
  for (const { record } of run) {
    try {
      await removeOwnObject(repository, record.name);
    } catch (error) {
      if (!hasCode(error, 'storage-denied', 'storage-not-found')) throw error;
    }
  }
  return true;
}
