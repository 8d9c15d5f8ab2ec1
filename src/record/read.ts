import { hasCode } from '../errors/error.ts';
import type { Repository } from '../repository/repository.ts';
import { isBundle, listChain, objectsIn, type ChainFile, type ChainFiles, type HeldObjects } from './chain.ts';
import { recordName } from './form.ts';
import type { StoredRecord } from './record.ts';
import { findingOf, Walk, type Finding, type Position } from './walk.ts';

export interface ReadChain {
  /** Up to where all is right. */
  readonly position: Position;
  /** What stands behind it and isn't. */
  readonly finding: Finding | undefined;
}

/**
 * Reads a chain on from a position and tells each record that is right, in order. Its files may be folded or grow
 * meanwhile, and a listing is no picture of one moment: what seems wrong is told only when a second look shows the same.
 * Throws when the storage doesn't answer.
 */
export async function readChain(
  repository: Repository,
  chain: ChainFiles,
  from: Position,
  onRecord: (record: StoredRecord) => void,
): Promise<ReadChain> {
  let [files, start, isSecondLook] = [chain, from, false];
  for (;;) {
    const read = await readOnce(repository, files, start, onRecord);
    const hasMoved = read.position.sequence > start.sequence;
    if (read.finding?.state !== 'broken' || (isSecondLook && !hasMoved)) return read;
    [files, start, isSecondLook] = [await listChain(repository, chain), read.position, true];
  }
}

async function readOnce(
  repository: Repository,
  chain: ChainFiles,
  from: Position,
  onRecord: (record: StoredRecord) => void,
): Promise<ReadChain> {
  const walk = new Walk(chain, from, onRecord);
  const { files, gap } = filesFrom(chain, from.sequence + 1);
  for await (const { file, held } of inOrder(repository, chain, files)) {
    const finding = await takeAll(walk, chain, file, held);
    if (finding !== undefined) return { position: walk.position, finding };
  }
  const finding = walk.settle() ?? gap;
  return { position: walk.position, finding };
}

async function takeAll(
  walk: Walk,
  chain: ChainFiles,
  file: ChainFile,
  held: Promise<HeldObjects>,
): Promise<Finding | undefined> {
  let [objects, isGenuine]: [HeldObjects['objects'], boolean] = [[], true];
  try {
    ({ objects, isGenuine } = await held);
  } catch (error) {
    const gone = hasCode(error, 'storage-not-found');
    return walk.settle() ?? (gone ? missing(chain, file.from, file.from) : findingOf(file.name, error));
  }
  for (const { name, object } of objects) {
    const finding = walk.take(name, object);
    if (finding !== undefined) return finding;
  }
  if (walk.next <= file.to) return walk.settle() ?? missing(chain, walk.next, file.to);
  if (isGenuine) return undefined;
  const reason = 'it is not signed by the key that it names, though each record in it is right';
  return walk.settle() ?? { state: 'broken', name: file.name, reason };
}

/** The files that hold all from a number on, up to the first that nothing holds. */
function filesFrom(
  chain: ChainFiles,
  sequence: number,
): { readonly files: readonly ChainFile[]; readonly gap: Finding | undefined } {
  const files: ChainFile[] = [];
  let next = sequence;
  for (const file of chain.files) {
    if (file.to < next) continue; // its records stand in a bundle too
    if (file.from > next) return { files, gap: missing(chain, next, file.from - 1) };
    files.push(file);
    next = file.to + 1;
  }
  return { files, gap: undefined };
}

/** Whether files stand for all up to a number. */
export function isCovered(chain: ChainFiles, sequence: number): boolean {
  const { files, gap } = filesFrom({ ...chain, files: chain.files.filter(({ from }) => from <= sequence) }, 1);
  return gap === undefined && (files.at(-1)?.to ?? 0) >= sequence;
}

function missing({ component, writer }: ChainFiles, from: number, to: number): Finding {
  const reason = from === to ? 'it is missing' : `it is missing, and all up to ${to}`;
  return { state: 'broken', name: recordName(component, writer, from), reason };
}

/** How much is asked for ahead: so many records, or two bundles. */
const mostAhead = 32;

interface Asked {
  readonly file: ChainFile;
  readonly held: Promise<HeldObjects>;
}

async function* inOrder(
  repository: Repository,
  chain: ChainFiles,
  files: readonly ChainFile[],
): AsyncGenerator<Asked, void, undefined> {
  const ahead: Asked[] = [];
  const costOf = (file: ChainFile): number => (isBundle(file) ? mostAhead / 2 : 1);
  let [next, cost] = [0, 0];
  try {
    for (;;) {
      for (let file = files[next]; file !== undefined && cost + costOf(file) <= mostAhead; file = files[next]) {
        const held = objectsIn(repository, chain, file);
        held.catch(() => undefined); // told to who takes it, in its turn
        ahead.push({ file, held });
        cost += costOf(file);
        next += 1;
      }
      const asked = ahead.shift();
      if (asked === undefined) return;
      yield asked;
      cost -= costOf(asked.file);
    }
  } finally {
    // Nothing is under way any more when the repository may be closed.
    await Promise.allSettled(ahead.map(({ held }) => held));
  }
}
