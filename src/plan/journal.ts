import { countOf, parseFields, textOf } from '../bytes/fields.ts';
import { HoldfastError } from '../errors/error.ts';

/**
 * What happened to a plan, in order. An entry is durable when `append` resolves, and is there whole or not at all. What
 * a step is about to do is written before, what it has done after it: a kill between leaves a step that was begun, of
 * which nobody knows, and which is asked.
 */
export interface Journal {
  entries(): Promise<readonly Entry[]>;
  append(entry: Entry): Promise<void>;
}

export interface Entry {
  readonly what: (typeof whats)[number];
  /** Nanoseconds since 1970. */
  readonly timeNs: bigint;
  /** The key of a step. */
  readonly step?: string;
  readonly attempt?: number;
  /** How long it took. */
  readonly ms?: number;
  /** Who approved, ticked, confirmed or asked for it. */
  readonly by?: string;
  /** Why: an error without secrets. */
  readonly reason?: string;
}

const whats = [
  'approved',
  'ticked',
  'began',
  /** It ran. */
  'done',
  /** It was begun before a kill, and is done. */
  'found done',
  /** It was so before the plan came to it: not undone. */
  'was so',
  'failed',
  'turned back',
  'began to undo',
  'undone',
  'not undone',
  'asked to confirm',
  'confirmed step',
  'finished',
  'undid all',
  'undid in part',
  /** What was begun can't be taken back, and nobody goes on with it. */
  'given up',
  'confirmed',
] as const;

export function encodeEntry({ timeNs, ...entry }: Entry): string {
  return JSON.stringify({ ...entry, time: String(timeNs) });
}

/** 'damaged', naming `name`, when it makes no sense. */
export function decodeEntry(bytes: Uint8Array, name: string): Entry {
  const fields = parseFields(bytes, name);
  const what = whats.find((one) => one === fields['what']);
  if (what === undefined) throw new HoldfastError('damaged', `${name} says nothing that a journal knows`);
  const text = (key: 'step' | 'by' | 'reason'): object =>
    fields[key] === undefined ? {} : { [key]: textOf(fields[key], name) };
  const count = (key: 'attempt' | 'ms'): object =>
    fields[key] === undefined ? {} : { [key]: countOf(fields[key], Number.MAX_SAFE_INTEGER, name) };
  return {
    what,
    timeNs: timeOf(textOf(fields['time'], name), name),
    ...text('step'),
    ...text('by'),
    ...text('reason'),
    ...count('attempt'),
    ...count('ms'),
  };
}

function timeOf(text: string, name: string): bigint {
  if (!/^-?\d{1,20}$/.test(text)) throw new HoldfastError('damaged', `${name} has no time`);
  return BigInt(text);
}
