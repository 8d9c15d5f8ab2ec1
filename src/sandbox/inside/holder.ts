import { readFile, writeFile } from 'node:fs/promises';
import type { Clock } from '../../clock/clock.ts';
import { HoldfastError } from '../../errors/error.ts';
import { withDeadline } from '../../flow/abort.ts';
import { startProgram, type RunningProgram } from '../../host/process.ts';
import { errorCode, reasonOf } from '../../host/system-error.ts';
import { currentUser } from '../../host/users.ts';
import type { SandboxOptions } from '../sandbox.ts';
import { coveredPaths } from './hidden.ts';
import { prologue, waitingScript } from './prologue.ts';
import { shownPaths } from './visible.ts';

/** The first process of a sandbox, with which everything inside ends. */
export interface Holder extends AsyncDisposable {
  /** As this host counts. */
  readonly pid: number;
  /** Ends everything inside; resolves when it has ended. */
  end(): Promise<void>;
  /** True once it has ended, by whatever. */
  readonly ended: () => boolean;
}

/** What programs find by; neither the caller's secrets nor its PATH go in. */
export const searchPath = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';

const mostMs = 60_000;
const namespaces = ['--user', '--mount', '--pid', '--net', '--ipc', '--uts'] as const;

export async function startHolder(
  { folder, hidden, visible = [], clock, signal }: SandboxOptions,
  enter: (pid: number) => Promise<void>,
): Promise<Holder> {
  const covered = (await coveredPaths(hidden)).map((path) => `-${path}`);
  const paths = [...(await shownPaths(visible)), ...covered];
  const script = ['sh', '-c', waitingScript, 'sh', prologue, 'sh', folder, ...paths];
  const running = await startedTool('unshare', [...namespaces, '--fork', '--kill-child', '--', ...script], {
    clock,
    signal,
  });
  try {
    const error = (): Error => lacking('something on the way, such as a mount that doesn’t answer, takes too long');
    return await withDeadline({ ms: mostMs, clock, signal, error }, async () => {
      const lines = linesOf(running.output);
      const pid = Number(await said(lines, running));
      await nameUsers(pid);
      await enter(pid);
      running.input?.write('go\n');
      await said(lines, running);
      return holderOf(running, pid);
    });
  } catch (error) {
    await running[Symbol.asyncDispose]();
    signal.throwIfAborted();
    throw error;
  }
}

function holderOf(running: RunningProgram, pid: number): Holder {
  let hasEnded = false;
  const gone = running.ended.then(() => void (hasEnded = true));
  const end = async (): Promise<void> => {
    running.input?.end();
    await gone;
  };
  return {
    pid,
    end,
    ended: () => hasEnded,
    [Symbol.asyncDispose]: async () => {
      await end();
      await running[Symbol.asyncDispose]();
    },
  };
}

async function startedTool(
  tool: string,
  args: readonly string[],
  { clock, signal }: { readonly clock: Clock; readonly signal: AbortSignal },
): Promise<RunningProgram> {
  const heard = (): void => undefined; // its last words are enough
  try {
    return await startProgram(tool, {
      args,
      clock,
      signal,
      input: 'piped',
      onErrorLine: heard,
      env: { PATH: searchPath, LC_ALL: 'C' },
    });
  } catch (cause) {
    if (errorCode(cause) === undefined) throw cause;
    throw lacking(`${tool} is missing`, { cause });
  }
}

/** The next line that the holder writes, or its last words as an error. */
async function said(lines: AsyncIterator<string>, running: RunningProgram): Promise<string> {
  const next = await lines.next();
  if (next.done !== true) return next.value;
  const { lastWords, how } = await running.ended;
  throw lacking(lastWords.at(-1) ?? how);
}

async function* linesOf(output: AsyncIterable<Uint8Array>): AsyncGenerator<string> {
  let rest = '';
  for await (const chunk of output) {
    const parts = (rest + Buffer.from(chunk).toString()).split('\n');
    rest = parts.pop() ?? '';
    yield* parts;
  }
}

/** Root keeps everybody apart; anybody else is root of the sandbox, and alone there. */
async function nameUsers(pid: number): Promise<void> {
  const { uid, gid } = currentUser();
  const write = async (file: string, text: string): Promise<void> => await writeFile(`/proc/${pid}/${file}`, text);
  try {
    if (uid === 0) {
      await write('uid_map', await everybody('uid_map'));
      await write('gid_map', await everybody('gid_map'));
      return;
    }
    await write('setgroups', 'deny');
    await write('uid_map', `0 ${uid} 1`);
    await write('gid_map', `0 ${gid} 1`);
  } catch (cause) {
    if (errorCode(cause) === undefined) throw cause;
    throw lacking(`users can’t be named there: ${reasonOf(cause)}`, { cause });
  }
}

async function everybody(file: 'uid_map' | 'gid_map'): Promise<string> {
  const lines = (await readFile(`/proc/self/${file}`, 'utf8')).trim().split('\n');
  return lines
    .map((line) => line.trim().split(/\s+/))
    .map(([inside, , count]) => `${inside} ${inside} ${count}\n`)
    .join('');
}

const advice =
  'it needs unshare, nsenter and setpriv (package util-linux), mount (package mount) and ip (package iproute2), and a kernel that allows user namespaces (sysctl user.max_user_namespaces, kernel.unprivileged_userns_clone=1, kernel.apparmor_restrict_unprivileged_userns=0)';

function lacking(what: string, details: { readonly cause?: unknown } = {}): HoldfastError {
  return new HoldfastError('refused', `no sandbox can be had here: ${what}; ${advice}`, details);
}
