import type { Clock } from '../clock/clock.ts';

/** What a server asks of `archive_command`: to have one file of its log stored, by the worker of this host. */
export interface PushRequest {
  readonly component: string;
  /** As the server names it, from its data directory on. */
  readonly path: string;
  readonly dataDirectory: string;
  readonly stateFolder: string;
  /** Starts the worker aside; what it says goes to the end of this file. It outlives whoever started it. */
  readonly startWorker: (logPath: string) => { readonly isRunning: () => boolean };
  readonly clock: Clock;
  readonly signal: AbortSignal;
}

/**
 * Resolves once the file is durable in every required place; 'refused' where the data directory has no grant to write the
 * component's log, or the file is none of its cluster. It reads no policy and opens nothing: a server calls it for each
 * segment that the worker has not stored before.
 */
export async function pushLogFile(request: PushRequest): Promise<void> {
  const { pushFile } = await import('./postgres/archive/push.ts');
  await pushFile(request);
}

/** What a server that recovers asks of `restore_command`: one file of the log. */
export interface AheadRequest {
  /** As the server names it. */
  readonly file: string;
  /** Where it is to stand; absolute. */
  readonly target: string;
  /** Starts aside what fetches from this file on; what it says goes to the end of the file named. */
  readonly startAhead: (logPath: string) => { readonly isRunning: () => boolean };
  readonly clock: Clock;
  readonly signal: AbortSignal;
}

/**
 * Takes a file that was fetched ahead, or waits for it. As `pushLogFile` it reads no policy and opens nothing. 'absent' is
 * proven, as `LogDriver.fetch` has it; 'unknown' says nothing of whether the log has it.
 */
export async function takeLogFile(request: AheadRequest): Promise<'delivered' | 'absent' | 'unknown'> {
  const { takeAhead } = await import('./postgres/archive/take-ahead.ts');
  return await takeAhead(request);
}
