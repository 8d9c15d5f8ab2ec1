import { execFile, type ExecFileException } from 'node:child_process';

export interface RunOptions {
  readonly cwd?: string;
  /** Added to this process's environment; undefined takes a name out. */
  readonly env?: Readonly<Record<string, string | undefined>>;
  readonly input?: string | Uint8Array;
  readonly timeoutMs?: number;
  readonly maxOutputBytes?: number;
}

export interface RunResult {
  /** The exit code; null after a signal. */
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: Buffer;
  readonly stderr: string;
}

/**
 * Runs a program to its end, in bounded time (five minutes: only a hang takes so long) and with bounded output
 * (64 MiB): beyond either it is killed and the promise rejects, as it does when the program can't be started. An exit
 * code is a result.
 */
export async function runProgram(
  program: string,
  args: readonly string[],
  options: RunOptions = {},
): Promise<RunResult> {
  const settings = {
    cwd: options.cwd,
    env: { ...process.env, ...options.env },
    timeout: options.timeoutMs ?? 5 * 60_000,
    maxBuffer: options.maxOutputBytes ?? 64 * 1024 * 1024,
    killSignal: 'SIGKILL',
    encoding: 'buffer',
  } as const;
  const { promise, resolve, reject } = Promise.withResolvers<RunResult>();
  const child = execFile(program, [...args], settings, (error, stdout, stderr) => {
    if (error !== null && !endedByItself(error)) reject(withOutput(error, stderr));
    else resolve({ code: child.exitCode, signal: child.signalCode, stdout, stderr: stderr.toString() });
  });
  // A program that ends without reading its input is judged by its exit code.
  child.stdin?.on('error', () => undefined);
  child.stdin?.end(options.input);
  return await promise;
}

/** As runProgram, and rejects with the program's words when it does not exit with 0. Resolves to its output. */
export async function runOk(program: string, args: readonly string[], options: RunOptions = {}): Promise<Buffer> {
  const { code, signal, stdout, stderr } = await runProgram(program, args, options);
  if (code === 0) return stdout;
  throw new Error(`${program} ${args.join(' ')} ended with ${code ?? signal}\n${stderr}\n${stdout.toString()}`);
}

/** With an exit code other than 0, or by a signal that wasn't ours. */
function endedByItself({ code, killed }: ExecFileException): boolean {
  return typeof code === 'number' || (code === null && killed !== true);
}

function withOutput(error: Error, stderr: Buffer): Error {
  return new Error(`${error.message}\n${stderr.toString()}`, { cause: error });
}
