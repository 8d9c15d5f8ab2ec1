import { open } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { startProgram, type ProgramEnd } from '../../host/process.ts';
import { reasonOf } from '../../host/system-error.ts';
import { withoutSecrets } from '../../secret/redact.ts';
import type { CommandEnd, SandboxCommand, SandboxOptions } from '../sandbox.ts';
import { freeBytes } from './disk.ts';
import { searchPath, type Holder } from './holder.ts';
import type { MemoryGroup } from './memory-group.ts';
import { commandScript, entryScript, givenOf } from './prologue.ts';

export interface Inside {
  readonly holder: Holder;
  readonly group: MemoryGroup | undefined;
  readonly freeAtFirst: number;
  readonly options: SandboxOptions;
}

/** The folder as commands see it. */
const folderInside = '/run/holdfast';

/**
 * What root of the sandbox may: change owners and users, serve on low ports; neither mount nor touch devices. With
 * setfcap it may give itself another number in a namespace within, for programs that refuse root; capabilities of files
 * give nothing to a program without new privileges.
 */
const rights = '-all,+chown,+dac_override,+fowner,+fsetid,+kill,+setgid,+setuid,+net_bind_service,+setfcap';

const entering = ['--user', '--mount', '--pid', '--net', '--ipc', '--uts', '--preserve-credentials'] as const;

export async function runInside(inside: Inside, command: SandboxCommand): Promise<CommandEnd> {
  const { holder, group, options } = inside;
  const beside = dirname(options.folder);
  const files = { output: join(beside, 'output'), errors: join(beside, 'errors') };
  const blocks = String(Math.max(1, Math.floor(options.limits.diskBytes / 512)));
  const entry = [command.input ?? '/dev/null', files.output, files.errors, group?.path ?? '', blocks];
  const restrained = ['setpriv', `--bounding-set=${rights}`, '--inh-caps=-all', '--no-new-privs', '--'];
  const own = ['sh', '-c', commandScript, 'sh', ...command.words];
  const nsenter = ['nsenter', '--target', String(holder.pid), ...entering, '--', ...restrained, ...own];
  if (holder.ended()) return { kind: 'lacking', reason: 'the sandbox has ended' };
  try {
    await using running = await startProgram('sh', {
      args: ['-c', entryScript, 'sh', ...entry, ...nsenter],
      clock: options.clock,
      signal: options.signal,
      input: 'empty',
      onErrorLine: () => undefined,
      env: { ...environment, ...givenOf({ ...command.env, ...marks }), ...marks },
    });
    const beyond = await withinLimits(inside, running.ended);
    const end = await running.ended;
    options.signal.throwIfAborted();
    if (beyond !== undefined) return { kind: 'lacking', reason: beyond };
    return await judged(inside, command, end, files);
  } catch (error) {
    options.signal.throwIfAborted();
    return { kind: 'lacking', reason: reasonOf(error) };
  }
}

const environment = { PATH: searchPath, HOME: folderInside, LANG: 'C.UTF-8' };
const marks = { HOLDFAST_SANDBOX: '1', HOLDFAST_DIR: folderInside };

const lookEachMs = 500;

/** Ends the sandbox where a command goes beyond its time or the disk's; resolves with why, or with nothing. */
async function withinLimits(
  { holder, options, freeAtFirst }: Inside,
  ended: Promise<ProgramEnd>,
): Promise<string | undefined> {
  const { clock, limits, folder } = options;
  const done = new AbortController();
  void ended.finally(() => done.abort());
  const begunMs = clock.monotonicMs();
  while (!done.signal.aborted) {
    const leftMs = limits.timeMs - (clock.monotonicMs() - begunMs);
    const beyond =
      leftMs <= 0
        ? `it took more than the ${limits.timeMs / 1000} s that it may take`
        : await beyondDisk(folder, freeAtFirst, limits.diskBytes);
    if (beyond !== undefined) {
      await holder.end();
      return beyond;
    }
    await clock.sleep(Math.min(leftMs, lookEachMs), done.signal).catch(() => undefined); // it ended
  }
  return undefined;
}

async function beyondDisk(folder: string, freeAtFirst: number, diskBytes: number): Promise<string | undefined> {
  const used = freeAtFirst - (await freeBytes(folder));
  return used > diskBytes ? `the disk lost more than the ${diskBytes} bytes that it may take` : undefined;
}

const notStarted: Readonly<Record<number, string>> = { 126: 'can’t be run', 127: 'is not found' };

async function judged(
  { holder, group, options, freeAtFirst }: Inside,
  { words: [program = ''] }: SandboxCommand,
  { code, how }: ProgramEnd,
  files: { readonly output: string; readonly errors: string },
): Promise<CommandEnd> {
  const lastWords = (await firstOf(files.errors)).trimEnd().split('\n').slice(-20).map(withoutSecrets);
  const lacking = (reason: string): CommandEnd => ({ kind: 'lacking', reason });
  if (await group?.ranOut())
    return lacking(`it needs more memory than the ${options.limits.memoryBytes} bytes it may take`);
  const disk = await beyondDisk(options.folder, freeAtFirst, options.limits.diskBytes);
  if (disk !== undefined) return lacking(disk);
  if (code === undefined) return lacking(`${program} was ${how}`);
  // A shell's way to say that what it ran was killed.
  if (code > 128 && code <= 192) return lacking(`what ${program} ran was killed by signal ${code - 128}`);
  const start = notStarted[code];
  if (start !== undefined)
    return lacking(
      `${program}, or a program that it needs, ${start} in the sandbox: install it; below /tmp and /run only what sandbox.visible names is seen there, and nothing of a live path (${lastWords.at(-1)})`,
    );
  if (holder.ended() || (code !== 0 && lastWords[0]?.startsWith('nsenter: ') === true))
    return lacking('the sandbox ended before it');
  return { kind: 'exited', code, output: await firstOf(files.output), lastWords };
}

const mostBytes = 1024 * 1024;

async function firstOf(path: string): Promise<string> {
  await using file = await open(path);
  const { buffer, bytesRead } = await file.read(Buffer.alloc(mostBytes), 0, mostBytes, 0);
  return buffer.toString('utf8', 0, bytesRead);
}
