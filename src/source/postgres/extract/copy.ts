import { HoldfastError } from '../../../errors/error.ts';
import type { RestoredIn } from '../../extraction.ts';
import type { RehearsedStep } from '../../rehearsal.ts';
import type { ServerConnection } from '../connect.ts';
import { speaksOfRoom } from '../surroundings.ts';
import { refused } from './living.ts';

/** A database as it was, on a server in a sandbox: nobody else is there, and it may be changed. */
export interface Copy {
  readonly database: string;
  readonly superuser: string;
  /** From outside of the sandbox. */
  readonly socketFolder: string;
  in<Result>(database: string, body: (server: ServerConnection) => Promise<Result>): Promise<Result>;
}

/** How what was restored becomes one: a cluster is started, dumps are loaded. */
export interface Copying {
  /** By postgres.json, before anything large is fetched; 'point-not-found' where the database is known not to be there. */
  expect(description: string, database: string | undefined): ExpectedCopy;
  /** Where the programs are that bring it up. */
  programs(restored: string, signal: AbortSignal): Promise<readonly string[]>;
  /** 'refused' for what this host lacks, 'damaged' where it doesn't come up otherwise. */
  bringUp(place: RestoredIn, database: string | undefined, signal: AbortSignal): Promise<Copy>;
}

export interface ExpectedCopy {
  /** Of the server that it will be on. */
  readonly major: number;
  /** What it takes on the disk beside what was restored. */
  readonly bytes: number;
}

const room =
  'Free some space below the state folder, of which a sandbox takes half of what is free (or `sandbox: { disk: … }` of the policy), or name another disk by --state-dir.';

export function notUp(steps: readonly RehearsedStep[]): HoldfastError {
  const { name, state, found } = steps.find((step) => step.state !== 'passed') ?? {
    name: 'start',
    state: 'failed',
    found: 'it did not come up',
  };
  const message = `${name}: ${found}`;
  return state === 'failed'
    ? new HoldfastError('damaged', message, { next: 'Take another moment, and verify this one. Nothing was changed.' })
    : refused(message, speaksOfRoom(found) ? room : undefined);
}
