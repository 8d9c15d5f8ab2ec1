import { HoldfastError } from '../errors/error.ts';
import type { Repository } from '../repository/repository.ts';
import type { Catalogue } from './catalogue.ts';
import { listChains, type ChainFiles } from './chain.ts';
import { isCovered, readChain } from './read.ts';
import type { StoredRecord } from './record.ts';
import { behind, type Finding, type Position } from './walk.ts';

export interface RefreshOptions {
  /** Of which components; empty: of all. */
  readonly components: readonly string[];
  readonly signersOf: (writer: string) => readonly string[] | undefined;
}

const mostInBatch = 1000;
/** How often another process may have been faster. */
const mostTries = 20;

/**
 * Reads into a catalogue what it doesn't know yet of a repository, and forgets what the repository has no more. Resolves
 * with what ends a chain before its end: the records behind that are not in the catalogue.
 */
export async function refresh(
  catalogue: Catalogue,
  repository: Repository,
  { components, signersOf }: RefreshOptions,
): Promise<readonly Finding[]> {
  const listed = (await listChains(repository)).filter(({ files }) => files.length > 0);
  const there = new Set(listed.map(({ component, writer }) => `${component}/${writer}`));
  for (const chain of catalogue.chains()) if (!there.has(`${chain.component}/${chain.writer}`)) catalogue.drop(chain);
  const findings: Finding[] = [];
  for (const chain of listed) {
    if (components.length > 0 && !components.includes(chain.component)) continue;
    const start = { sequence: 0, hash: '', trusted: signersOf(chain.writer) };
    const finding = await refreshChain(catalogue, repository, chain, start);
    if (finding !== undefined) findings.push(finding);
  }
  return findings;
}

async function refreshChain(
  catalogue: Catalogue,
  repository: Repository,
  chain: ChainFiles,
  start: Position,
): Promise<Finding | undefined> {
  for (let tries = 0; tries < mostTries; tries += 1) {
    const from = catalogue.position(chain, start);
    const isNew = from.sequence === 0;
    const writing = new Batches(catalogue, chain, { start, from });
    if (!isNew && !isCovered(chain, from.sequence)) catalogue.drop(chain);
    else {
      if (isNew) catalogue.drop(chain);
      const { finding } = await readChain(repository, chain, from, (record) => writing.add(record));
      writing.flush();
      // The repository has the last word: what doesn't fit to what was remembered is read from its beginning.
      if (writing.isOurs && (isNew || finding?.state !== 'broken')) return finding;
      if (writing.isOurs) catalogue.drop(chain);
    }
  }
  throw new HoldfastError('refused', `others change what is remembered of ${chain.component} all the time`);
}

/** Records on their way into a catalogue. */
class Batches {
  readonly #catalogue: Catalogue;
  readonly #chain: ChainFiles;
  readonly #start: Position;
  #from: Position;
  #to: Position;
  #records: StoredRecord[] = [];
  /** False once another process has changed the chain: nothing is added any more. */
  isOurs = true;

  constructor(
    catalogue: Catalogue,
    chain: ChainFiles,
    { start, from }: { readonly start: Position; readonly from: Position },
  ) {
    this.#catalogue = catalogue;
    this.#chain = chain;
    this.#start = start;
    this.#from = from;
    this.#to = from;
  }

  add(record: StoredRecord): void {
    if (!this.isOurs) return;
    this.#to = behind(this.#to, record);
    this.#records.push(record);
    if (this.#records.length === mostInBatch) this.flush();
  }

  flush(): void {
    if (this.#records.length === 0) return;
    const places = { start: this.#start, from: this.#from, to: this.#to };
    this.isOurs = this.#catalogue.append(this.#chain, this.#records, places);
    this.#from = this.#to;
    this.#records = [];
  }
}
