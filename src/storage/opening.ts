import type { Clock } from '../clock/clock.ts';
import { hasCode } from '../errors/error.ts';
import type { Listener } from '../events/events.ts';
import { retry } from '../flow/retry.ts';
import { openStorage, type OpeningOptions } from './open.ts';
import { tellRetry } from './retry/told.ts';
import type { StorageSettings } from './settings.ts';
import { transientCodes, type Storage } from './storage.ts';

/** Some quarter of a minute: a server that restarts is back by then, and who mistyped a host waits no longer. */
const patience = { attempts: 6, baseMs: 500, maxMs: 8000, untilMs: 60_000, jitter: 0.5 };

interface Told {
  readonly clock: Clock;
  readonly listener: Listener;
}

/**
 * Opens a storage, again where the connection fails in passing: refused, reset, or ssh or rclone ended before a server
 * answered. Who is refused a login, or finds no folder, learns it at once.
 */
export async function openPatiently(
  url: string,
  settings: StorageSettings,
  { clock, listener, ...options }: OpeningOptions & Told,
): Promise<Storage> {
  return await retry(
    {
      ...patience,
      clock,
      signal: options.signal,
      retryable: (error) => hasCode(error, ...transientCodes),
      onRetry: tellRetry(listener, 'opening the storage'),
    },
    () => openStorage(url, settings, options),
  );
}
