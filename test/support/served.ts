import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import type { RunResult } from './run-program.ts';

export interface ServedCommand {
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  readonly cwd: string;
  /** Which kinds of components there are beside those of the program. */
  readonly kinds?: 'elsewhere' | undefined;
  /** 'none': those between attempts at a storage take no time. */
  readonly pauses?: 'none';
  /** How much later than it is the program believes it to be. Storages are asked by the real time. */
  readonly aheadMs?: number;
}

export interface ServedResult {
  readonly code: number;
  readonly stdout: Uint8Array;
  readonly stderr: string;
}

/** Only a hang takes so long. */
const longestMs = 5 * 60_000;
let server: ChildProcess | undefined;
let last: Promise<unknown> = Promise.resolve();

/**
 * What the program would answer, from a process that this test file's process keeps: a start of the program costs ten
 * times what most commands do. Without standard input, and without signals: those want the program itself.
 */
export async function served(command: ServedCommand): Promise<RunResult> {
  const result = last.then(async () => await answered(command));
  last = result.catch(() => undefined);
  return await result;
}

async function answered(command: ServedCommand): Promise<RunResult> {
  server ??= started();
  server.ref();
  server.channel?.ref();
  try {
    server.send(command);
    const late = AbortSignal.timeout(longestMs);
    const [{ code, stdout, stderr }] = (await once(server, 'message', { signal: late })) as [ServedResult];
    return { code, signal: null, stdout: Buffer.from(stdout), stderr };
  } catch (error) {
    server?.kill('SIGKILL'); // what it would still say is no answer to what is asked next
    server = undefined;
    throw error;
  } finally {
    server?.unref();
    server?.channel?.unref();
  }
}

/** It ends with this process, whose end closes the channel. */
function started(): ChildProcess {
  const execArgv = ['--max-semi-space-size=2', '--disable-warning=ExperimentalWarning'];
  const child = fork(join(import.meta.dirname, 'command-server.ts'), { serialization: 'advanced', execArgv });
  child.on('exit', (code, signal) => {
    child.emit('error', new Error(`the server of commands ended with ${code ?? signal}`));
  });
  child.on('error', () => (server = undefined));
  return child;
}
