import { displayPath, rawPathOfByteString, type BlobId, type RawPath } from '../../bytes/ids.ts';
import { joinPath } from '../../bytes/unix-path.ts';
import { HoldfastError } from '../../errors/error.ts';
import type { FolderToDump } from '../dump.ts';
import type { TreeNode } from '../entry.ts';
import { walkTree, type TreeReader } from '../walk.ts';

export type DumpStep =
  | { readonly kind: 'entry'; readonly path: RawPath; readonly node: TreeNode }
  | { readonly kind: 'data'; readonly bytes: Uint8Array }
  | { readonly kind: 'end' };

type PlannedStep = Exclude<DumpStep, { kind: 'data' }> | { readonly kind: 'blob'; readonly id: BlobId };

/** Blobs, of one file or of several, that are read before their turn. */
const blobsAhead = 8;
const stepsAhead = 64;

/** The bytes of each file come between its entry and its end, exactly as many as its node says. */
export async function* dumpSteps(
  reader: TreeReader,
  folder: FolderToDump,
  signal: AbortSignal,
): AsyncGenerator<DumpStep, void> {
  let left = 0;
  let current = folder.path;
  for await (const step of readAhead(reader, planned(reader, folder, signal))) {
    if (step.kind === 'entry') [current, left] = [step.path, step.node.type === 'file' ? step.node.sizeBytes : 0];
    if (step.kind === 'data') left -= step.bytes.length;
    if (left < 0 || (step.kind === 'end' && left !== 0)) throw wrongSize(current);
    yield step;
  }
}

export async function* contentOf(reader: TreeReader, node: TreeNode): AsyncGenerator<Uint8Array, void> {
  const blobs = ReadableStream.from((node.content ?? []).map((id) => ({ kind: 'blob', id }) as const));
  for await (const step of readAhead(reader, blobs)) if (step.kind === 'data') yield step.bytes;
}

async function* planned(
  reader: TreeReader,
  { tree, path }: FolderToDump,
  signal: AbortSignal,
): AsyncGenerator<PlannedStep, void> {
  for await (const item of walkTree(reader, tree, { signal })) {
    if (item.kind === 'unreadable') throw item.error;
    const { node } = item;
    if (node.type !== 'file' && node.type !== 'dir' && node.type !== 'symlink') continue;
    yield { kind: 'entry', path: rawPathOfByteString(joinPath('/', path, item.path).slice(1)), node };
    for (const id of node.type === 'file' ? (node.content ?? []) : []) yield { kind: 'blob', id };
    yield { kind: 'end' };
  }
}

interface Started {
  readonly step: PlannedStep;
  readonly bytes: Promise<Uint8Array> | undefined;
}

/** The steps in their order, with blobs being read before it is their turn. */
async function* readAhead(reader: TreeReader, steps: AsyncIterable<PlannedStep>): AsyncGenerator<DumpStep, void> {
  const started: Started[] = [];
  let reading = 0;
  for await (const step of steps) {
    started.push(start(reader, step));
    if (step.kind === 'blob') reading += 1;
    while (reading >= blobsAhead || started.length >= stepsAhead) {
      const first = started.shift();
      if (first?.step.kind === 'blob') reading -= 1;
      if (first !== undefined) yield await finished(first);
    }
  }
  for (const each of started) yield await finished(each);
}

function start(reader: TreeReader, step: PlannedStep): Started {
  const bytes = step.kind === 'blob' ? reader.readBlob('data', step.id) : undefined;
  // It is awaited in its turn, and fails then; not at all when the dump is left before.
  bytes?.catch(() => undefined);
  return { step, bytes };
}

async function finished({ step, bytes }: Started): Promise<DumpStep> {
  if (step.kind !== 'blob') return step;
  return { kind: 'data', bytes: (await bytes) ?? new Uint8Array() };
}

function wrongSize(path: RawPath): HoldfastError {
  return new HoldfastError('damaged', `the blobs of ${displayPath(path)} don't add up to its size`);
}
