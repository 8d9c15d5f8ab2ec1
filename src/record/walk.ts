import { HoldfastError } from '../errors/error.ts';
import { recordIn, recordName, signedIn, type Signed } from './form.ts';
import type { StoredRecord } from './record.ts';

/** How far a chain was read and found right, and whom its next record may be signed by. */
export interface Position {
  /** 0 before the first. */
  readonly sequence: number;
  /** Of that record; '' before the first. */
  readonly hash: string;
  /** Public keys; undefined: whoever. */
  readonly trusted: readonly string[] | undefined;
}

/** Where a chain stands behind a record that is right. */
export function behind({ trusted }: Position, { sequence, hash, kind, data }: StoredRecord): Position {
  // Who may add a key is itself recorded, by a key that is believed already.
  const added = kind === 'key' && typeof data['signer'] === 'string' ? [data['signer']] : [];
  return { sequence, hash, trusted: added.length === 0 ? trusted : trusted && [...new Set([...trusted, ...added])] };
}

/** The first object that is wrong, or that nobody here can judge. */
export interface Finding {
  readonly state: 'broken' | 'unknown';
  readonly name: string;
  readonly reason: string;
}

/** Of as many records in a row the last one's signature is looked at: it covers the hashes of all before it. */
const mostVouchedFor = 100;
const byStranger = 'it is signed by a key that nobody introduced';

/** Whether what is wrong is no more than that nobody is known who introduced the key. */
export function isStranger({ reason }: Pick<Finding, 'reason'>): boolean {
  return reason.startsWith(byStranger);
}

const notGenuine = 'it is not signed by the key that it names';

interface Chain {
  readonly component: string;
  readonly writer: string;
}

/**
 * Follows one chain from a position. A record is right when it names the hash of the one before, is signed by a key
 * that is believed, and that signature is genuine. What a key signs later covers what it signed before, so not each
 * signature is looked at; where anything is wrong each is, and the first wrong record is named.
 */
export class Walk {
  readonly #chain: Chain;
  readonly #onRecord: (record: StoredRecord) => void;
  #position: Position;
  #unproven: { readonly signed: Signed; readonly record: StoredRecord }[] = [];

  constructor(chain: Chain, from: Position, onRecord: (record: StoredRecord) => void) {
    this.#chain = chain;
    this.#onRecord = onRecord;
    this.#position = from;
  }

  /** How far it is right for certain. */
  get position(): Position {
    return this.#position;
  }

  /** The number of the record that comes next. */
  get next(): number {
    return this.#position.sequence + this.#unproven.length + 1;
  }

  /** Takes the next object; one that was taken before is passed over. */
  take(name: string, object: Uint8Array): Finding | undefined {
    if (name < recordName(this.#chain.component, this.#chain.writer, this.next)) return undefined;
    const signed = signedOrNot(object, name);
    return 'reason' in signed ? (this.settle() ?? signed) : this.#judge(signed);
  }

  /** Looks at the signatures that are still open; to be called when no more comes. */
  settle(): Finding | undefined {
    const unproven = this.#unproven;
    this.#unproven = [];
    const isProven = unproven.at(-1)?.signed.isGenuine() ?? true;
    for (const { signed, record } of unproven) {
      if (!isProven && !signed.isGenuine()) return { state: 'broken', name: signed.name, reason: notGenuine };
      this.#pass(record);
    }
    return undefined;
  }

  #pass(record: StoredRecord): void {
    this.#position = behind(this.#position, record);
    this.#onRecord(record);
  }

  #judge(signed: Signed): Finding | undefined {
    const before = this.#unproven.at(-1)?.signed.signer;
    const finding = before === undefined || before === signed.signer ? undefined : this.settle();
    if (finding !== undefined) return finding;
    const judged = this.#judgeAlone(signed);
    // What is forged is told as that, whatever it says.
    if ('reason' in judged)
      return this.settle() ?? (signed.isGenuine() ? judged : { ...judged, state: 'broken', reason: notGenuine });
    this.#unproven.push({ signed, record: judged });
    return judged.kind === 'key' || this.#unproven.length === mostVouchedFor ? this.settle() : undefined;
  }

  /** As if its signature were genuine. */
  #judgeAlone(signed: Signed): StoredRecord | Finding {
    const { name, signer } = signed;
    const { trusted } = this.#position;
    if (trusted?.includes(signer) === false) return { state: 'broken', name, reason: strangeReason(signer, trusted) };
    try {
      const record = recordIn(signed);
      const reason = this.#misplaced(record);
      return reason === undefined ? record : { state: 'broken', name, reason };
    } catch (error) {
      return findingOf(name, error);
    }
  }

  #misplaced({ component, writer, sequence, previous }: StoredRecord): string | undefined {
    if (component !== this.#chain.component || writer !== this.#chain.writer) return 'it belongs to another chain';
    if (sequence !== this.next) return `it says it is number ${sequence}`;
    const before = this.#unproven.at(-1)?.record.hash ?? this.#position.hash;
    return previous === before ? undefined : 'it does not follow the record before it: one of the two was changed';
  }
}

function signedOrNot(object: Uint8Array, name: string): Signed | Finding {
  try {
    return signedIn(object, name);
  } catch (error) {
    return findingOf(name, error);
  }
}

const mostTold = 3;

function strangeReason(signer: string, trusted: readonly string[]): string {
  const more = trusted.length > mostTold ? ', …' : '';
  const believed = trusted.length === 0 ? 'nobody' : trusted.slice(0, mostTold).join(', ') + more;
  return `it is signed by a key that nobody introduced, ${signer}; believed is ${believed}`;
}

/** What an error that came of an object's content says of its chain. */
export function findingOf(name: string, error: unknown): Finding {
  if (!(error instanceof HoldfastError)) throw error;
  if (error.code === 'damaged') return { state: 'broken', name, reason: error.message };
  if (error.code === 'unsupported') return { state: 'unknown', name, reason: error.message };
  throw error;
}
