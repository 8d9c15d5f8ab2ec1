import { HoldfastError } from '../errors/error.ts';
import { listChains, objectsIn, type ChainFiles } from './chain.ts';
import type { Repository } from '../repository/repository.ts';
import { readOwnObject } from '../repository/own-object.ts';
import { decodeHead, decodeRecord, recordName, type Head } from './form.ts';
import type { StoredRecord } from './record.ts';

/**
 * What is known of a chain. 'broken' names the first wrong record; of what comes behind it nothing is said. 'unknown'
 * is no finding and no proof: nobody can say whether the newest records were cut off, or whose key signed.
 */
export type Verdict =
  | { readonly state: 'intact' }
  | { readonly state: 'broken'; readonly name: string; readonly reason: string }
  | { readonly state: 'unknown'; readonly reason: string };

export interface ChainVerdict {
  readonly component: string;
  readonly writer: string;
  readonly records: readonly StoredRecord[];
  readonly verdict: Verdict;
}

export interface VerifyOptions {
  /** Of which components; of all without it. */
  readonly components?: readonly string[];
  /** Public keys that are believed; none: whoever signed. */
  readonly signers: readonly string[] | undefined;
  /** Heads that other repositories were told; undefined where there is no other repository that could have been. */
  readonly heads: readonly Head[] | undefined;
}

/** Reads and judges every chain of a repository. */
export async function verifyChains(repository: Repository, options: VerifyOptions): Promise<readonly ChainVerdict[]> {
  const verdicts: ChainVerdict[] = [];
  const { components } = options;
  for (const chain of await listChains(repository)) {
    if (components !== undefined && !components.includes(chain.component)) continue;
    // What stands in another repository shows here by its heads alone.
    if (chain.files.length > 0) verdicts.push(await verifyChain(repository, chain, options));
  }
  return verdicts;
}

function headsOf({ component, writer }: ChainFiles, { heads = [] }: VerifyOptions): readonly Head[] {
  return heads.filter((head) => head.component === component && head.writer === writer);
}

async function verifyChain(repository: Repository, chain: ChainFiles, options: VerifyOptions): Promise<ChainVerdict> {
  const records: StoredRecord[] = [];
  const { component, writer } = chain;
  const trusted = options.signers && new Set(options.signers);
  const wrong = await firstBroken(repository, chain, { records, trusted });
  const verdict = wrong ?? judgedByHeads(records, chain, options) ?? undecided(options) ?? { state: 'intact' };
  return { component, writer, records, verdict };
}

interface Walk {
  /** What was right so far. */
  readonly records: StoredRecord[];
  /** Grows by the keys that trusted records introduce. */
  readonly trusted: Set<string> | undefined;
}

/** Adds what is right to the walk, up to the first that isn't. */
async function firstBroken(
  repository: Repository,
  chain: ChainFiles,
  { records, trusted }: Walk,
): Promise<Verdict | undefined> {
  for (const file of chain.files) {
    const next = records.length + 1;
    if (file.to < next) continue; // its records stand in a bundle too
    if (file.from > next) {
      const missing = recordName(chain.component, chain.writer, next);
      return broken(
        missing,
        file.from === next + 1 ? 'it is missing' : `it is missing, and all up to ${file.from - 1}`,
      );
    }
    try {
      for (const { name, object } of await objectsIn(repository, chain, file)) {
        const record = decodeRecord(object, name);
        if (record.sequence <= records.length) continue;
        const wrong = wrongLink(record, records.at(-1), chain) ?? stranger(record, trusted);
        if (wrong !== undefined) return broken(name, wrong);
        records.push(record);
      }
    } catch (error) {
      if (!(error instanceof HoldfastError)) throw error;
      return broken(file.name, error.message);
    }
  }
  return undefined;
}

function wrongLink(record: StoredRecord, before: StoredRecord | undefined, chain: ChainFiles): string | undefined {
  const { sequence, previous, component, writer } = record;
  if (component !== chain.component || writer !== chain.writer) return 'it belongs to another chain';
  if (sequence !== (before?.sequence ?? 0) + 1) return `it says it is number ${sequence}`;
  return previous === (before?.hash ?? '')
    ? undefined
    : 'it does not follow the record before it: one of the two was changed';
}

function judgedByHeads(
  records: readonly StoredRecord[],
  chain: ChainFiles,
  options: VerifyOptions,
): Verdict | undefined {
  for (const { sequence, hash } of headsOf(chain, options)) {
    const record = records[sequence - 1];
    const name = `${chain.component}/${chain.writer}/${sequence}`;
    if (record === undefined) return broken(name, `it is gone: another repository was told of ${sequence} records`);
    if (record.hash !== hash) return broken(name, 'it is not the record that another repository was told of');
  }
  return undefined;
}

function stranger({ signer, kind, data }: StoredRecord, trusted: Set<string> | undefined): string | undefined {
  if (trusted === undefined) return undefined;
  if (!trusted.has(signer)) return 'it is signed by a key that nobody introduced';
  // Who may add a key is itself recorded, by a key that is believed already.
  if (kind === 'key' && typeof data['signer'] === 'string') trusted.add(data['signer']);
  return undefined;
}

function undecided({ signers, heads }: VerifyOptions): Verdict | undefined {
  if (signers === undefined) return { state: 'unknown', reason: 'the chain is intact; its signer is unknown' };
  if (heads === undefined)
    return { state: 'unknown', reason: 'no other repository can tell whether its end was cut off' };
  return undefined;
}

function broken(name: string, reason: string): Verdict {
  return { state: 'broken', name, reason };
}

/** What a repository was told of chains that stand in others, and what can't be read of it. */
export interface ToldHeads {
  readonly heads: readonly Head[];
  /** Objects that were damaged or forged, and so tell nothing. */
  readonly unreadable: readonly { readonly name: string; readonly reason: string }[];
}

export async function readHeads(repository: Repository): Promise<ToldHeads> {
  const heads: Head[] = [];
  const unreadable: { readonly name: string; readonly reason: string }[] = [];
  for (const { heads: names } of await listChains(repository)) {
    for (const name of names) {
      try {
        heads.push(decodeHead(await readOwnObject(repository, name), name));
      } catch (error) {
        if (!(error instanceof HoldfastError)) throw error;
        unreadable.push({ name, reason: error.message });
      }
    }
  }
  return { heads, unreadable };
}
