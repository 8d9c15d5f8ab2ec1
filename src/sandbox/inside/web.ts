import { startProgram } from '../../host/process.ts';
import { reasonOf } from '../../host/system-error.ts';
import type { WebAnswer } from '../sandbox.ts';
import type { Inside } from './command.ts';
import { searchPath } from './holder.ts';

/** Runs with the network of the sandbox and nothing else of it. */
const asking = `
const url = process.env.URL_ASKED;
try {
  const answer = await fetch(url, { signal: AbortSignal.timeout(30_000) });
  const body = (await answer.text()).slice(0, 1024 * 1024);
  console.log(JSON.stringify({ kind: 'answered', status: answer.status, body }));
} catch (error) {
  const reason = String(error.cause?.message ?? error.message);
  console.log(JSON.stringify({ kind: 'lacking', reason }));
}`;

export async function getInside({ holder, options: { clock, signal } }: Inside, url: string): Promise<WebAnswer> {
  if (holder.ended()) return { kind: 'lacking', reason: 'the sandbox has ended' };
  const entering = ['--target', String(holder.pid), '--user', '--net', '--preserve-credentials', '--'];
  try {
    await using running = await startProgram('nsenter', {
      args: [...entering, process.execPath, '--input-type=module', '-e', asking],
      clock,
      signal,
      input: 'empty',
      onErrorLine: () => undefined,
      env: { PATH: searchPath, URL_ASKED: url }, // an argument could be seen by everybody
    });
    const output = Buffer.concat(await Array.fromAsync(running.output)).toString();
    const { status, how } = await running.ended;
    signal.throwIfAborted();
    return status === 'success' ? (JSON.parse(output) as WebAnswer) : { kind: 'lacking', reason: how };
  } catch (error) {
    signal.throwIfAborted();
    return { kind: 'lacking', reason: reasonOf(error) };
  }
}
