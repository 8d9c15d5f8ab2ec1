import { spawn } from 'node:child_process';
import { HoldfastError } from '../errors/error.ts';

/**
 * Runs a program to its end and resolves with its standard output; input and standard error are the caller's own,
 * so that it may ask for something. Anything but exit code 0 is 'refused'.
 */
export async function outputOf(program: string, args: readonly string[], signal: AbortSignal): Promise<Uint8Array> {
  const child = spawn(program, [...args], { stdio: ['inherit', 'pipe', 'inherit'], signal });
  const { promise: ended, resolve, reject } = Promise.withResolvers<string | undefined>();
  child.once('error', reject);
  child.once('close', (code, killedBy) => resolve(code === 0 ? undefined : `ended with ${code ?? killedBy}`));
  const chunks: Uint8Array[] = [];
  child.stdout.on('data', (chunk: Uint8Array) => chunks.push(chunk));
  const failure = await ended.catch((cause: unknown) => {
    signal.throwIfAborted();
    throw new HoldfastError('refused', `${program} can't be run: ${String(cause)}`, { cause });
  });
  if (failure !== undefined) throw new HoldfastError('refused', `${program} ${failure}`);
  return Buffer.concat(chunks);
}
