import { systemClock } from '../clock/clock.ts';
import type { Clock } from '../clock/clock.ts';
import { HoldfastError } from '../errors/error.ts';
import { startProgram, type ProgramOptions, type RunningProgram } from '../host/process.ts';
import { reasonOf } from '../host/system-error.ts';
import { othersWords } from './others-words.ts';

/** A program through which a storage is reached, over its standard input and output. */
export interface ConnectingProgram {
  readonly name: string;
  readonly running: RunningProgram;
  /** What its words must not show, and what stands in its place. */
  readonly hidden?: readonly [secret: string, shown: string];
}

/** 'storage-denied' when it can't be run at all. */
export async function startConnecting(
  name: string,
  args: readonly string[],
  { interrupts, signal }: Required<Pick<ProgramOptions, 'interrupts'>> & { readonly signal?: AbortSignal },
): Promise<ConnectingProgram> {
  try {
    const running = await startProgram(name, {
      ...{ args, interrupts, clock: systemClock, input: 'piped' },
      signal: signal ?? new AbortController().signal,
      onErrorLine: () => undefined, // its last words are enough
    });
    return { name, running };
  } catch (cause) {
    throw new HoldfastError('storage-denied', `${name} can't be run: ${reasonOf(cause)}`, { cause });
  }
}

/** A program that closed its output is about to end. */
const endMs = 2000;

/** Words of ssh and rclone after which another attempt is of no use. */
const noUse = new RegExp(
  [
    ...['permission denied', 'host key verification failed', 'too many authentication failures', 'not found'],
    ...['name or service not known', 'no matching .* found', 'bad configuration option', 'subsystem request failed'],
    ...["didn't find section", 'unknown command', 'unknown flag'],
  ].join('|'),
  'i',
);

/** A connection that fails because the program ended says nothing; the program's last words do. */
export async function explained({ name, running, hidden }: ConnectingProgram, error: unknown): Promise<HoldfastError> {
  const end = await within(endMs, running.ended, systemClock);
  const [secret, shown] = hidden ?? [];
  const open = (line: string): string => (secret && shown ? line.replaceAll(secret, () => shown) : line);
  const lines = end?.lastWords.map((line) => othersWords(open(line)));
  const said = lines?.join(' · ') ?? '';
  const failed = end?.status === 'failure';
  const why = failed ? `${name} ended with ${end.how}${said ? `: ${said}` : ''}` : reasonOf(error);
  const denied = failed && noUse.test(said);
  return new HoldfastError(denied ? 'storage-denied' : 'storage-failed', why, {
    cause: error,
    ...(denied && { next: `Try ${name} by hand: it must connect without asking. Nothing was changed.` }),
  });
}

/** What a promise resolves with, if it does so in time. */
export async function within<T>(ms: number, promise: Promise<T>, clock: Clock): Promise<T | undefined> {
  const done = new AbortController();
  const late = clock.sleep(ms, done.signal).then(
    () => undefined,
    () => undefined, // it came in time
  );
  try {
    return await Promise.race([promise, late]);
  } finally {
    done.abort();
  }
}
