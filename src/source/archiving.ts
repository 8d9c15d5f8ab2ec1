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
