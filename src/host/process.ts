import { spawn, type ChildProcess } from 'node:child_process';
import { createInterface } from 'node:readline';
import type { Readable, Writable } from 'node:stream';
import type { Clock } from '../clock/clock.ts';
import { errorCode, systemError } from './system-error.ts';

/**
 * Starts other programs; no other place does. Errors and results name the program, never its arguments, which may
 * hold secrets. Nothing outlives its handle: disposing kills the program, as aborting the signal does.
 */
export interface RunningProgram extends AsyncDisposable {
  /** Standard output, read once, ending when the program and what it started have closed it. */
  readonly output: AsyncIterable<Uint8Array>;
  /** Standard input where it is 'piped'; a program that is gone is no error of writing there. */
  readonly input: Writable | undefined;
  /** Resolves once the program is gone, whatever the code. Rejects when it could not be started. */
  readonly ended: Promise<ProgramEnd>;
}

export interface ProgramEnd {
  readonly status: 'success' | 'failure';
  /** For people: 'exit code 3', 'killed by SIGTERM'. */
  readonly how: string;
  /** Undefined where a signal ended it. */
  readonly code: number | undefined;
  /** The last lines of standard error, some 20 at most. */
  readonly lastWords: readonly string[];
}

export interface ProgramOptions {
  readonly args: readonly string[];
  readonly clock: Clock;
  readonly signal: AbortSignal;
  /** 'empty': there is nothing to read. */
  readonly input: 'empty' | 'inherited' | 'piped';
  /**
   * Ctrl-C reaches all programs of a terminal. 'own-session': not this one, which then can't ask anybody; 'ignored': it
   * starts with SIGINT ignored and may still ask.
   */
  readonly interrupts?: 'own-session' | 'ignored';
  /** 'session': what a program with a session of its own has started is killed with it, as the jobs of a dump. */
  readonly kills?: 'session';
  /** Each line of standard error as it comes; without it they go to our own. */
  readonly onErrorLine?: (line: string) => void;
  /** All of its environment; ours without it. The program is looked for in its PATH. */
  readonly env?: Readonly<Record<string, string>>;
}

const inputs = { empty: 'ignore', inherited: 'inherit', piped: 'pipe' } as const;

/** Rejects when the program can't be started, e.g. with 'ENOENT'. */
export async function startProgram(program: string, options: ProgramOptions): Promise<RunningProgram> {
  const [command, args] =
    options.interrupts === 'ignored'
      ? ['/bin/sh', ['-c', 'trap "" INT; exec "$@"', 'sh', program, ...options.args]]
      : [program, [...options.args]];
  const child = spawn(command, args, {
    stdio: [inputs[options.input], 'pipe', options.onErrorLine ? 'pipe' : 'inherit'],
    detached: options.interrupts === 'own-session',
    ...(options.env === undefined ? {} : { env: options.env }),
  });
  child.stdin?.on('error', () => undefined); // its end tells more
  const words = lastWords(child.stderr, options.onErrorLine);
  const exited = whenExited(child);
  await whenStarted(child, program);
  const kill = (): void => killed(child, options.kills);
  options.signal.addEventListener('abort', kill, { once: true });
  if (options.signal.aborted) kill();
  const ended = exited.then(async (exit) => {
    options.signal.removeEventListener('abort', kill);
    await words.settled(options.clock);
    return { ...exit, lastWords: words.lines };
  });
  return {
    output: child.stdout ?? emptyOutput(),
    input: child.stdin ?? undefined,
    ended,
    [Symbol.asyncDispose]: async () => {
      kill();
      child.stdout?.destroy();
      await ended;
    },
  };
}

/** One that has ended has left what it started, which may be a service. */
function killed(child: ChildProcess, reach: ProgramOptions['kills']): void {
  if (reach === undefined || child.pid === undefined || child.exitCode !== null || child.signalCode !== null) {
    child.kill('SIGKILL');
    return;
  }
  try {
    process.kill(-child.pid, 'SIGKILL');
  } catch (error) {
    if (errorCode(error) !== 'ESRCH') throw error; // it has just ended
  }
}

const lastLines = 20;
const longestLine = 2000;
/** What the program itself said is there at once; what it left running may hold standard error open for ever. */
const lastWordsMs = 500;

interface LastWords {
  readonly lines: readonly string[];
  settled(clock: Clock): Promise<void>;
}

function lastWords(stderr: Readable | null, onLine: (line: string) => void = () => undefined): LastWords {
  if (stderr === null) return { lines: [], settled: async () => undefined };
  const lines: string[] = [];
  const closed = Promise.withResolvers<void>();
  createInterface({ input: stderr })
    .on('line', (text) => {
      const line = text.slice(0, longestLine);
      lines.push(line);
      if (lines.length > lastLines) lines.shift();
      onLine(line);
    })
    .on('close', closed.resolve);
  const settled = async (clock: Clock): Promise<void> => {
    const done = new AbortController();
    const bound = clock.sleep(lastWordsMs, done.signal).catch(() => undefined); // aborted: they came in time
    await Promise.race([closed.promise, bound]);
    done.abort();
    stderr.destroy();
  };
  return { lines, settled };
}

async function whenStarted(child: ChildProcess, program: string): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  child.once('spawn', resolve);
  // Node's own error carries the arguments.
  child.once('error', (error) => reject(systemError(`starting ${program}`, errnoOf(error))));
  await promise;
}

function errnoOf(error: Error): number {
  return 'errno' in error && typeof error.errno === 'number' ? Math.abs(error.errno) : 0;
}

async function whenExited(child: ChildProcess): Promise<Omit<ProgramEnd, 'lastWords'>> {
  const { promise, resolve } = Promise.withResolvers<Omit<ProgramEnd, 'lastWords'>>();
  child.once('exit', (code, signal) => {
    const how = signal === null ? `exit code ${code}` : `killed by ${signal}`;
    resolve({ status: code === 0 ? 'success' : 'failure', how, code: code ?? undefined });
  });
  return await promise;
}

async function* emptyOutput(): AsyncGenerator<Uint8Array> {
  // Standard output is always piped.
}
