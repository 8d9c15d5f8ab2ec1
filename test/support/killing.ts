import { spawn } from 'node:child_process';
import { systemClock } from '../../src/clock/clock.ts';
import { holdfastProgram, type RepositoryAt } from './holdfast.ts';

export interface KilledRun {
  /** 'ended' when the program was through before its time. */
  readonly fate: 'killed' | 'ended';
  readonly code: number | null;
  /** Both streams, as far as they came. */
  readonly output: string;
  readonly milliseconds: number;
}

/** Runs the real program and ends it by SIGKILL after so long, unless it ends by itself before. */
export async function runAndKill(
  { repository, password }: RepositoryAt,
  args: readonly string[],
  { afterMs, env: given = {} }: { readonly afterMs: number; readonly env?: Readonly<Record<string, string>> },
): Promise<KilledRun> {
  const env = { ...process.env, ...given, RESTIC_REPOSITORY: repository, RESTIC_PASSWORD: password };
  const start = systemClock.monotonicMs();
  const child = spawn(holdfastProgram, ['--no-cache', ...args], { env, stdio: ['ignore', 'pipe', 'pipe'] });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (bytes) => (output += String(bytes)));
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  child.once('error', reject);
  child.once('close', resolve);
  const ended = new AbortController();
  const killing = systemClock.sleep(afterMs, ended.signal).then(
    () => void child.kill('SIGKILL'),
    () => undefined, // it ended before
  );
  try {
    await promise;
  } finally {
    ended.abort();
    await killing;
  }
  const milliseconds = systemClock.monotonicMs() - start;
  return { fate: child.signalCode === 'SIGKILL' ? 'killed' : 'ended', code: child.exitCode, output, milliseconds };
}
