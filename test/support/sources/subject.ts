import type { Event } from '../../../src/events/events.ts';
import type { SourceKind } from '../../../src/source/kinds.ts';

/**
 * A kind of source, and what has to be done behind its back to see whether it keeps the contract. A subject works below
 * a folder of its own; whatever it can't be made to suffer is left undefined, and the promise about it is 'not claimed'.
 */
export interface SourceSubject {
  readonly name: string;
  readonly kind: SourceKind;
  /** Stands in the options and is never to be told. */
  readonly secret?: string;
  /** Makes something live in the folder. Resolves with its options, as a policy has them. */
  readonly prepare: (folder: string) => Promise<unknown>;
  /** Of what goes into a repository. */
  readonly reading?: ReadingSubject;
  /** Of points that it holds itself. */
  readonly external?: ExternalSubject;
}

export interface ReadingSubject {
  /** It changes by nobody’s hand but ours: twice it tells the same. */
  readonly isSteady?: true;
  /** What a restore brings back, by path in the snapshot. */
  readonly expected: (folder: string) => ReadonlyMap<string, Uint8Array>;
  /** A part of it, or all, can't be read any more. */
  readonly spoil: (folder: string) => Promise<void>;
  /** There is nothing left of it. */
  readonly empty: (folder: string) => Promise<void>;
  /** The options with which nothing at all is a success. */
  readonly allowingEmpty?: (options: unknown) => unknown;
  /** It never ends by itself, or never answers. Resolves with whether something of it is running. */
  readonly hang?: (folder: string) => Promise<() => boolean>;
  /** What a probe has to name then. */
  readonly takeAway: (folder: string) => Promise<string>;
  /** The options with which it can be brought up in a sandbox; `damage` spoils what was restored. */
  readonly rehearsed?: {
    readonly options: (folder: string) => unknown;
    readonly damage: (restored: string) => Promise<void>;
  };
}

export interface ExternalSubject {
  /** There is nothing left that a point could be made of. */
  readonly empty: (folder: string) => Promise<void>;
  readonly spoil: (folder: string) => Promise<void>;
  readonly vanish: (folder: string, place: string, identity: string) => Promise<void>;
  readonly damage: (folder: string, place: string, identity: string) => Promise<void>;
  /** The place answers no more: with an error, or never. */
  readonly silence: (folder: string, place: string, how: 'fails' | 'never answers') => Promise<void>;
}

/** Everything that a source told in one way or another, for `secret` to be looked for. */
export class Told {
  readonly events: Event[] = [];
  readonly things: unknown[] = [];

  readonly listener = (event: Event): void => void this.events.push(event);

  warnings(): number {
    return this.events.filter(({ kind }) => kind === 'warning').length;
  }

  text(): string {
    return [...this.events, ...this.things].map(textOf).join('\n');
  }
}

function textOf(thing: unknown): string {
  if (!(thing instanceof Error)) {
    return JSON.stringify(thing, (_key, value: unknown) => (typeof value === 'bigint' ? String(value) : value)) ?? '';
  }
  const next = 'next' in thing ? String(thing.next) : '';
  return [thing.message, next, thing.stack ?? '', thing.cause === undefined ? '' : textOf(thing.cause)].join('\n');
}
