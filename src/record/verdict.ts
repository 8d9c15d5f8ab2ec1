import type { Repository } from '../repository/repository.ts';
import { listChains, type ChainFiles } from './chain.ts';
import { recordName } from './form.ts';
import type { SignedHead } from './heads.ts';
import { readChain } from './read.ts';
import type { StoredRecord } from './record.ts';
import type { Finding, Position } from './walk.ts';

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
  /** How many records are right, from the first. */
  readonly right: number;
  /** The key of the first; undefined where not even that is right. */
  readonly firstSigner: string | undefined;
  readonly verdict: Verdict;
}

export interface VerifyOptions {
  /** Of which components; of all without it. */
  readonly components?: readonly string[];
  /** Public keys that are believed of a writer; undefined: nobody knows, whoever signed. */
  readonly signersOf: (writer: string) => readonly string[] | undefined;
  /** What other repositories were told; undefined where there is no other repository that could have been. */
  readonly heads: readonly SignedHead[] | undefined;
  /** Told each record that is right and vouched for by its chain so far; of each chain in order. */
  readonly onRecord?: (record: StoredRecord) => void;
  /** Told what ends a chain before its end: no record from there on was told. */
  readonly onCut?: (finding: Finding, component: string) => void;
}

/** Reads and judges every chain of a repository, from the repository alone. */
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

async function verifyChain(
  repository: Repository,
  chain: ChainFiles,
  { signersOf, heads, onRecord, onCut }: VerifyOptions,
): Promise<ChainVerdict> {
  const { component, writer } = chain;
  const told = heads && new Told(heads, repository.config.id, chain);
  let firstSigner: string | undefined;
  const trusted = signersOf(writer);
  const { position, finding } = await readChain(repository, chain, { sequence: 0, hash: '', trusted }, (record) => {
    firstSigner ??= record.signer;
    told?.compare(record);
    onRecord?.(record);
  });
  if (finding !== undefined) onCut?.(finding, component);
  const { sequence } = position;
  const different = told?.different(position.trusted);
  const wrong = different ?? finding ?? told?.beyond(position);
  const verdict = wrong === undefined ? undecided(position.trusted, told) : verdictOf(wrong);
  return {
    component,
    writer,
    right: different === undefined ? sequence : different.sequence - 1,
    firstSigner,
    verdict,
  };
}

function verdictOf({ state, name, reason }: Finding): Verdict {
  return state === 'broken' ? { state, name, reason } : { state, reason };
}

/** Nothing is wrong: is that known? */
function undecided(trusted: readonly string[] | undefined, told: Told | undefined): Verdict {
  const unknown = (reason: string): Verdict => ({ state: 'unknown', reason });
  if (trusted === undefined) return unknown('the chain is intact; its signer is unknown');
  if (told === undefined) return unknown('no other repository can tell whether its end was cut off');
  if (told.hasStrangers(trusted)) return unknown('a stranger told another repository of it');
  if (told.isNothing) return unknown('no other repository was told of it, and could tell whether its end was cut off');
  return { state: 'intact' };
}

/** What other repositories were told of one chain. */
class Told {
  readonly #heads: readonly SignedHead[];
  readonly #bySequence: ReadonlyMap<number, readonly SignedHead[]>;
  readonly #different: SignedHead[] = [];

  constructor(heads: readonly SignedHead[], repository: string, { component, writer }: ChainFiles) {
    this.#heads = heads.filter(
      (head) => head.repository === repository && head.component === component && head.writer === writer,
    );
    this.#bySequence = Map.groupBy(this.#heads, ({ sequence }) => sequence);
  }

  get isNothing(): boolean {
    return this.#heads.length === 0;
  }

  compare({ sequence, hash }: StoredRecord): void {
    const heads = this.#bySequence.get(sequence) ?? [];
    this.#different.push(...heads.filter((head) => head.hash !== hash));
  }

  hasStrangers(trusted: Trusted): boolean {
    return this.#heads.some((head) => !isBelieved(head, trusted));
  }

  /** The first record that others were told of otherwise. */
  different(trusted: Trusted): (Finding & { readonly sequence: number }) | undefined {
    const head = this.#different.find((one) => isBelieved(one, trusted));
    const reason = 'it is not the record that another repository was told of';
    return head && { state: 'broken', name: nameOf(head, head.sequence), reason, sequence: head.sequence };
  }

  /** The first record behind the end that others were told of. */
  beyond({ sequence, trusted }: Position): Finding | undefined {
    const heads = this.#heads.filter((head) => head.sequence > sequence && isBelieved(head, trusted));
    const [head] = heads.toSorted((a, b) => b.sequence - a.sequence);
    const reason = `it is gone: another repository was told of ${head?.sequence} records`;
    return head && { state: 'broken', name: nameOf(head, sequence + 1), reason };
  }
}

type Trusted = readonly string[] | undefined;

function isBelieved({ signer }: SignedHead, trusted: Trusted): boolean {
  return trusted?.includes(signer) ?? true;
}

function nameOf({ component, writer }: SignedHead, sequence: number): string {
  return recordName(component, writer, sequence);
}
