import { dirname, join } from 'node:path';
import type { Clock } from '../../../clock/clock.ts';
import { outputOf } from '../../../host/output-of.ts';
import { startProgram, type RunningProgram } from '../../../host/process.ts';
import type { DataOwner } from '../sandbox-files.ts';
import { ServerWords, type Said } from './server-words.ts';

export interface ServerOptions {
  /** The folder of its programs. */
  readonly programs: string;
  readonly data: string;
  readonly configuration: string;
  readonly owner: DataOwner | undefined;
  readonly clock: Clock;
  /** Each time it took another file of the log. */
  readonly onProgress: (said: Said) => void;
}

/** A server in the foreground; what it says is heard. Gone once it is disposed of. */
export class ReplayingServer implements AsyncDisposable {
  readonly #options: ServerOptions;
  readonly #running: RunningProgram;
  readonly #words: ServerWords;
  readonly #over: Promise<void>;
  #isGone = false;
  #lastWords: readonly string[] = [];

  private constructor(options: ServerOptions, running: RunningProgram, words: ServerWords, opened: Promise<void>) {
    this.#options = options;
    this.#running = running;
    this.#words = words;
    const gone = running.ended.then(({ how, lastWords }) => {
      this.#isGone = true;
      this.#lastWords = [...lastWords, `it ended with ${how}`];
    });
    this.#over = Promise.race([opened, gone]);
  }

  static async start(options: ServerOptions): Promise<ReplayingServer> {
    const { programs, data, configuration, owner, clock } = options;
    const words = new ServerWords();
    const opened = Promise.withResolvers<void>();
    const onErrorLine = (line: string): void => {
      const told = words.hear(line);
      if (told.restored !== undefined) options.onProgress(words.said);
      if (told.isOpen === true) opened.resolve();
    };
    // It beats what stands in the data directory's own settings, as those of a restore that is not through do.
    const hba = join(dirname(configuration), 'pg_hba.conf');
    const server = [
      join(programs, 'postgres'),
      '-D',
      data,
      '-c',
      `config_file=${configuration}`,
      '-c',
      `hba_file=${hba}`,
    ];
    const [program, ...args] = [...asOwner(owner), ...server];
    // It is ended in order, which gives back its shared memory; a kill doesn't.
    const { signal } = new AbortController();
    const env = { PATH: '/usr/bin:/bin', LC_ALL: 'C', HOME: data };
    const running = await startProgram(program, {
      args,
      clock,
      signal,
      env,
      input: 'empty',
      interrupts: 'own-session',
      onErrorLine,
    });
    return new ReplayingServer(options, running, words, opened.promise);
  }

  get said(): Said {
    return this.#words.said;
  }

  /** Another text whenever it has come further. */
  get progress(): string {
    return this.#words.progress;
  }

  /** Why it is gone. */
  get lastWords(): string {
    const { errors } = this.said;
    return (errors.length > 0 ? errors : this.#lastWords).join('; ').slice(-2000);
  }

  /** Resolves once it is open, or gone. */
  async over(): Promise<'open' | 'gone'> {
    await this.#over;
    return this.#words.said.isOpen && !this.#isGone ? 'open' : 'gone';
  }

  /** In order, with all it has written down. */
  async stop(mode: 'fast' | 'immediate' = 'fast'): Promise<void> {
    if (this.#isGone) return;
    const { programs, data, owner } = this.#options;
    const [program, ...args] = [...asOwner(owner), join(programs, 'pg_ctl'), 'stop', '-s', '-D', data, '-m', mode];
    const seconds = mode === 'fast' ? 3600 : 60;
    const limit = AbortSignal.timeout((seconds + 10) * 1000);
    await outputOf(program, [...args, '-w', '-t', `${seconds}`], limit, 'unheard');
    await this.#running.ended;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    try {
      await this.stop('immediate');
    } finally {
      await this.#running[Symbol.asyncDispose]();
    }
  }
}

/** Where the kernel can, it is ended when we are killed: nobody would feed or end it any more. */
function asOwner(owner: DataOwner | undefined): readonly [string, ...string[]] {
  const ended = process.platform === 'linux' ? ['--pdeathsig=QUIT'] : [];
  if (owner !== undefined)
    return ['setpriv', `--reuid=${owner.uid}`, `--regid=${owner.gid}`, '--clear-groups', ...ended, '--'];
  return ended.length === 0 ? ['env'] : ['setpriv', ...ended, '--'];
}
