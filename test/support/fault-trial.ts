import assert from 'node:assert/strict';
import { inspect } from 'node:util';
import { systemClock } from '../../src/clock/clock.ts';
import type { ErrorCode } from '../../src/errors/codes.ts';
import { HoldfastError } from '../../src/errors/error.ts';
import { silent } from '../../src/events/events.ts';
import { RetryingStorage } from '../../src/storage/retry.ts';
import type { Storage } from '../../src/storage/storage.ts';

/** What no fault of a storage may come out as. */
const wrongCodes: readonly ErrorCode[] = ['internal', 'usage', 'unsupported', 'wrong-password', 'snapshot-not-found'];
const boundMs = 30_000;

/** Waits for what runs on a faulty storage: it ends in bounded time, well or with an error that fits. */
export async function endOf(running: Promise<unknown>, where: string): Promise<HoldfastError | undefined> {
  const ending = running.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  const ended = new AbortController();
  const late = systemClock.sleep(boundMs, ended.signal).then(() => assert.fail(`${where}: no end after ${boundMs} ms`));
  late.catch(() => undefined);
  const error = await Promise.race([ending, late]);
  ended.abort();
  if (error === undefined) return undefined;
  assert.ok(error instanceof HoldfastError && !wrongCodes.includes(error.code), `${where}: ${inspect(error)}`);
  return error;
}

/** As a command tries again, with little patience. */
export function retrying(storage: Storage): Storage {
  const policy = { attempts: 5, untilMs: 5000, baseMs: 1, maxMs: 4, timeoutMs: 50, slowestBytesPerSecond: 2 ** 30 };
  return new RetryingStorage(storage, { clock: systemClock, listener: silent, policy });
}
