import { systemClock } from '../clock/clock.ts';
import { HoldfastError } from '../errors/error.ts';
import { startProgram, type RunningProgram } from './process.ts';
import { errorCode, reasonOf } from './system-error.ts';

/** For what a person could type: a password, a list of names. */
const mostBytes = 1024 * 1024;

/**
 * Runs a program to its end and resolves with its standard output; input and standard error are the caller's own,
 * so that it may ask for something; 'unheard': what it writes to standard error goes nowhere. Anything but exit code 0
 * is 'refused', as is an output beyond 1 MiB.
 */
export async function outputOf(
  program: string,
  args: readonly string[],
  signal: AbortSignal,
  errors: 'inherited' | 'unheard' = 'inherited',
): Promise<Uint8Array> {
  await using running = await start(program, args, signal, errors);
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of running.output) {
    chunks.push(chunk);
    bytes += chunk.length;
    if (bytes > mostBytes) throw new HoldfastError('refused', `${program} writes more than ${mostBytes} bytes`);
  }
  const { status, how } = await running.ended;
  signal.throwIfAborted();
  if (status === 'failure') throw new HoldfastError('refused', `${program} ended with ${how}`);
  return Buffer.concat(chunks);
}

async function start(
  program: string,
  args: readonly string[],
  signal: AbortSignal,
  errors: 'inherited' | 'unheard',
): Promise<RunningProgram> {
  const unheard = errors === 'unheard' && { onErrorLine: () => undefined };
  try {
    return await startProgram(program, { args, signal, input: 'inherited', clock: systemClock, ...unheard });
  } catch (cause) {
    if (errorCode(cause) === undefined) throw cause;
    throw new HoldfastError('refused', `${program} can't be run: ${reasonOf(cause)}`, { cause });
  }
}
