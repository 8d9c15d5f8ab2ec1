import type { Sandbox } from '../sandbox/sandbox.ts';
import type { Secret } from '../secret/secret.ts';
import type { Replay } from './recovery.ts';
import type { WalkOptions } from './source.ts';

/**
 * Takes parts of a component out of one of its moments, and puts them into a live system beside what runs there. What was
 * restored is brought up in a sandbox, at its moment, and the parts are taken from there: the live system sees them alone.
 *
 * - `judge` asks the live system before anything large is fetched, and `prepare` once it is known what the parts are. Both
 *   are 'refused' for what can't be loaded, by name, and change nothing there.
 * - `programs` says where those are that bring it up: the sandbox has to show them.
 * - `load` loads all of them or nothing. What it leaves out, so that the rest can come, it names.
 * - What stands there already is never replaced.
 * - No secret of the address is in errors, events or what is told.
 */
export interface Extraction {
  /** A path of the point, by which it is judged. */
  readonly description: string;
  judge(restored: string, wanted: WantedParts, options: WalkOptions): Promise<JudgedParts>;
  programs(restored: string, signal: AbortSignal): Promise<readonly string[]>;
  /** What is prepared is good as long as the sandbox is open. */
  prepare(brought: RestoredIn, wanted: WantedParts, options: WalkOptions): Promise<PreparedParts>;
}

export interface JudgedParts {
  /** What bringing it up takes on the disk beside what is restored. */
  readonly bytes: number;
}

export interface RestoredIn {
  readonly sandbox: Sandbox;
  /** Where the whole component was restored to. */
  readonly restored: string;
  /** To the moment that is wanted; undefined: it stays where its backup ended. */
  readonly replay: Omit<Replay, 'folder'> | undefined;
}

export interface WantedParts {
  /** The address of the live system. */
  readonly into: Secret;
  /** Which of several that a component has. */
  readonly database: string | undefined;
  readonly parts: readonly WantedPart[];
  readonly owner: 'as it was' | 'whoever loads';
  readonly privileges: 'as they were' | 'none';
}

export interface WantedPart {
  readonly kind: 'table' | 'schema';
  /** As people of its kind write it. */
  readonly name: string;
  /** The name that it gets. */
  readonly as: string | undefined;
}

export interface PreparedParts {
  /** For people: where to. */
  readonly target: string;
  /** What comes. */
  readonly tables: readonly TakenTable[];
  /** For people: what is to be known before it is loaded. */
  readonly notes: readonly string[];
  /** For people: what belongs to the parts and does not come. */
  readonly leftOut: readonly string[];
  load(options: WalkOptions): Promise<LoadedParts>;
}

export interface TakenTable {
  readonly name: string;
  /** What it is called there. */
  readonly as: string;
  /** At the moment. */
  readonly rows: number;
}

export interface LoadedParts {
  /** Rows are undefined where the address is not let to see them all. */
  readonly tables: readonly (TakenTable & { readonly loadedRows: number | undefined })[];
  readonly notes: readonly string[];
  /** Beside what `prepare` told of. */
  readonly leftOut: readonly string[];
}
