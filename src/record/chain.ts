import { hasCode, HoldfastError } from '../errors/error.ts';
import { listOwnObjects, readOwnObject, writeOwnObject } from '../repository/own-object.ts';
import type { Repository } from '../repository/repository.ts';
import {
  chainFolder,
  decodeBundle,
  decodeRecord,
  encodeHead,
  encodeRecord,
  hashOf,
  headName,
  recordName,
  type Head,
} from './form.ts';
import { recordFolder, type RecordFacts, type StoredRecord, type Writer } from './record.ts';

/** How often another process of the same writer may have been faster. */
const mostTries = 50;

/** Appends a record to its writer's chain; durable when it resolves. Whoever has just appended another says behind which. */
export async function appendRecord(
  repository: Repository,
  facts: RecordFacts,
  writer: Writer,
  behind?: End,
): Promise<StoredRecord> {
  let end = behind ?? (await endOf(repository, facts.component, writer.id));
  for (let tries = 0; tries < mostTries; tries += 1) {
    const link = { sequence: (end?.sequence ?? 0) + 1, previous: end?.hash ?? '' };
    const name = recordName(facts.component, writer.id, link.sequence);
    const object = encodeRecord(facts, writer, link);
    try {
      await writeOwnObject(repository, name, object);
      return decodeRecord(object, name);
    } catch (error) {
      if (!hasCode(error, 'storage-exists')) throw error;
    }
    end = { sequence: link.sequence, hash: hashOf(await readOwnObject(repository, name)) };
  }
  throw new HoldfastError('storage-failed', `the chain of ${facts.component} grows faster than it can be appended to`);
}

type End = Pick<StoredRecord, 'sequence' | 'hash'>;

async function endOf(repository: Repository, component: string, writer: string): Promise<End | undefined> {
  for (let tries = 0; ; tries += 1) {
    const files = await filesOf(repository, component, writer);
    const last = files.toSorted((a, b) => a.to - b.to).at(-1);
    if (last === undefined) return undefined;
    try {
      return { sequence: last.to, hash: hashOf(await newestIn(repository, last)) };
    } catch (error) {
      // Another process folded it between the two requests.
      if (!hasCode(error, 'storage-not-found') || tries === mostTries) throw error;
    }
  }
}

async function newestIn(repository: Repository, file: ChainFile): Promise<Uint8Array> {
  const object = await readOwnObject(repository, file.name);
  if (!isBundle(file)) return object;
  const newest = decodeBundle(object, file.name).objects.at(-1);
  if (newest === undefined) throw new HoldfastError('damaged', `${file.name} is an empty bundle`);
  return newest;
}

/** A record, or a bundle of several. */
export interface ChainFile {
  readonly name: string;
  readonly from: number;
  readonly to: number;
}

const fileName = /\/(?<from>\d{10})(?:-(?<to>\d{10}))?$/;

async function filesOf(repository: Repository, component: string, writer: string): Promise<readonly ChainFile[]> {
  const listed = await listOwnObjects(repository, chainFolder(component, writer));
  return listed.flatMap(({ key }) => chainFile(key) ?? []);
}

function chainFile(name: string): ChainFile | undefined {
  const groups = fileName.exec(name)?.groups;
  if (groups === undefined) return undefined;
  const from = Number(groups['from']);
  return { name, from, to: groups['to'] === undefined ? from : Number(groups['to']) };
}

/** All chains of a repository: what stands under each, by name alone. */
export interface ChainFiles {
  readonly component: string;
  readonly writer: string;
  /** By their first sequence; what a bundle holds may also stand beside it. */
  readonly files: readonly ChainFile[];
  /** Names of the heads of chains of other repositories. */
  readonly heads: readonly string[];
}

export async function listChains(repository: Repository): Promise<readonly ChainFiles[]> {
  return await chainsBelow(repository, recordFolder);
}

/** One of them, as it stands now. */
export async function listChain(
  repository: Repository,
  { component, writer }: Pick<ChainFiles, 'component' | 'writer'>,
): Promise<ChainFiles> {
  const [chain] = await chainsBelow(repository, chainFolder(component, writer));
  return chain ?? { component, writer, files: [], heads: [] };
}

async function chainsBelow(repository: Repository, folder: string): Promise<readonly ChainFiles[]> {
  const chains = new Map<string, { readonly files: ChainFile[]; readonly heads: string[] }>();
  for (const { key } of await listOwnObjects(repository, folder)) {
    const at = key.lastIndexOf('/');
    const chain = chains.getOrInsertComputed(key.slice(recordFolder.length, at), () => ({ files: [], heads: [] }));
    const file = chainFile(key);
    if (file !== undefined) chain.files.push(file);
    else if (key.startsWith('head-', at + 1)) chain.heads.push(key);
  }
  return [...chains].map(([name, { files, heads }]) => {
    const [component = '', writer = ''] = name.split('/');
    return { component, writer, files: files.toSorted((a, b) => a.from - b.from || b.to - a.to), heads };
  });
}

/** What a file holds: plaintexts in their order, each with the name that it was written under. */
export interface HeldObjects {
  readonly objects: readonly { readonly name: string; readonly object: Uint8Array }[];
  /** False where it is a bundle that its writer didn't sign as it is. */
  readonly isGenuine: boolean;
}

export async function objectsIn(
  repository: Repository,
  { component, writer }: Pick<ChainFiles, 'component' | 'writer'>,
  file: ChainFile,
): Promise<HeldObjects> {
  const object = await readOwnObject(repository, file.name);
  if (!isBundle(file)) return { objects: [{ name: file.name, object }], isGenuine: true };
  const { objects, isGenuine } = decodeBundle(object, file.name);
  const named = objects.map((one, at) => ({ name: recordName(component, writer, file.from + at), object: one }));
  return { objects: named, isGenuine };
}

export function isBundle({ name }: ChainFile): boolean {
  return name.includes('-', name.lastIndexOf('/'));
}

/** Tells another repository how far a chain has come. One that is there already says the same. */
export async function writeHead(repository: Repository, head: Head, writer: Writer): Promise<void> {
  try {
    await writeOwnObject(repository, headName(head), encodeHead(head, writer));
  } catch (error) {
    if (!hasCode(error, 'storage-exists')) throw error;
  }
}
