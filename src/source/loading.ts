import type { Secret } from '../secret/secret.ts';
import type { WalkOptions } from './source.ts';

/**
 * Loads a point into something new on a live system, beside what runs there. It is planned by a description that the
 * point holds, before anything large is fetched.
 *
 * - What can't be loaded is 'refused' by `plan`, which changes nothing: what is there already and holds something, what
 *   the system lacks, by name.
 * - What `load` makes it removes again where it fails; what was there before stays as it is, unless it was told to
 *   switch, which it does last and at once.
 * - No secret of the address is in errors, events or what is told.
 */
export interface Loading {
  /** A path of the point. */
  readonly description: string;
  plan(restored: string, wanted: WantedLoad, options: WalkOptions): Promise<PlannedLoad>;
}

export interface WantedLoad {
  /** The address of what is to be made. */
  readonly into: Secret;
  /** What of the point, where it holds several. */
  readonly part?: string | undefined;
  readonly jobs: number;
  readonly owner: 'as it was' | 'whoever loads';
  readonly privileges: 'as they were' | 'none';
  /** 'switch': what was loaded takes the name of what it is a backup of, and that one is kept under another name. */
  readonly afterwards: 'leave' | 'switch';
}

export interface PlannedLoad {
  /** For people and records. */
  readonly target: string;
  /** A path of the point: what is loaded. */
  readonly needs: string;
  readonly bytes: number;
  load(restored: string, options: WalkOptions): Promise<Loaded>;
}

export interface Loaded {
  /** What came, by name. */
  readonly rows: Readonly<Record<string, number>>;
  /** For people: what is to be known of it now, as how to go back. */
  readonly notes: readonly string[];
}
