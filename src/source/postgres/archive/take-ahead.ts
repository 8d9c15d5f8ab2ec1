import { errorCode } from '../../../host/system-error.ts';
import type { AheadRequest } from '../../archiving.ts';
import { Ahead } from './ahead.ts';

const mostMs = 60_000;
const lookMs = 10;

type Taken = 'delivered' | 'absent' | 'unknown';

/**
 * Waits for a file that another process of this host fetches, which is started where none is at work. 'absent' only where
 * that has proven it since. 'unknown' says nothing: whoever fetches the file by itself says what is in the way.
 */
export async function takeAhead(request: AheadRequest): Promise<Taken> {
  const ahead = new Ahead(request.target);
  try {
    ahead.make();
    ahead.removeOlder(request.file);
    if (await ahead.take(request.file, request.target)) return 'delivered';
    const token = ahead.ask(request.file);
    try {
      return await wait(ahead, token, request);
    } finally {
      ahead.forget(token);
    }
  } catch (error) {
    if (errorCode(error) === undefined) throw error;
    return 'unknown';
  }
}

async function wait(ahead: Ahead, token: string, request: AheadRequest): Promise<Taken> {
  const { file, target, startAhead, clock, signal } = request;
  const giveUpAt = clock.monotonicMs() + mostMs;
  let started: ReturnType<AheadRequest['startAhead']> | undefined;
  while (clock.monotonicMs() < giveUpAt) {
    signal.throwIfAborted();
    const isRunning = (started?.isRunning() ?? false) || ahead.isAtWork();
    if ((await ahead.take(file, target)) || (await ahead.take(`got.${token}`, target))) return 'delivered';
    if (ahead.isAbsent(token)) return 'absent';
    if (!isRunning) {
      if (started !== undefined) return 'unknown';
      started = startAhead(ahead.logPath);
    }
    await clock.sleep(lookMs, signal);
  }
  return 'unknown';
}
