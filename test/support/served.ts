import { fork, type ChildProcess, type ForkOptions } from 'node:child_process';
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
/** Of short commands most of what is collected is young: with the program's own small young heap that takes a sixth of the time. */
const nodeOptions = ['--disable-warning=ExperimentalWarning'];

/** A process that answers one command after another, started by the first, again after a failure. */
export class CommandServer {
  /** The words before Node's own: whom it runs as. */
  readonly #as: () => readonly string[];
  #child: ChildProcess | undefined;
  #last: Promise<unknown> = Promise.resolve();

  constructor(as: () => readonly string[] = () => []) {
    this.#as = as;
  }

  async answer(command: ServedCommand): Promise<RunResult> {
    const result = this.#last.then(async () => await this.#answered(command));
    this.#last = result.catch(() => undefined);
    return await result;
  }

  async #answered(command: ServedCommand): Promise<RunResult> {
    const server = (this.#child ??= this.#started());
    server.ref();
    server.channel?.ref();
    try {
      server.send(command);
      const late = AbortSignal.timeout(longestMs);
      const [{ code, stdout, stderr }] = (await once(server, 'message', { signal: late })) as [ServedResult];
      return { code, signal: null, stdout: Buffer.from(stdout), stderr };
    } catch (error) {
      server.kill('SIGKILL'); // what it would still say is no answer to what is asked next
      this.#child = undefined;
      throw error;
    } finally {
      server.unref();
      server.channel?.unref();
    }
  }

  /** It ends with this process, whose end closes the channel. */
  #started(): ChildProcess {
    const [execPath, ...before] = [...this.#as(), process.execPath];
    const options: ForkOptions = { serialization: 'advanced', execPath, execArgv: [...before, ...nodeOptions] };
    const child = fork(join(import.meta.dirname, 'command-server.ts'), options);
    child.on('exit', (code, signal) => {
      child.emit('error', new Error(`the server of commands ended with ${code ?? signal}`));
    });
    child.on('error', () => (this.#child = undefined));
    return child;
  }
}

const ours = new CommandServer();

/**
 * What the program would answer, from a process that this test file's process keeps: a start of the program costs ten
 * times what most commands do. Without standard input, and without signals: those want the program itself.
 */
export async function served(command: ServedCommand): Promise<RunResult> {
  return await ours.answer(command);
}
