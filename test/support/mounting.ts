import { readFileSync } from 'node:fs';
import { absent } from '../absences.ts';
import { runOk } from './run-program.ts';

/** Root in a container may not be allowed to mount: the text of a skip, or false. */
export function withoutMounts(): string | false {
  const allowed = process.platform === 'linux' && process.getuid?.() === 0 && mayMount();
  return allowed ? false : absent('mounts');
}

/** CAP_SYS_ADMIN. */
function mayMount(): boolean {
  const effective = /^CapEff:\t(\w+)/m.exec(readFileSync('/proc/self/status', 'utf8'))?.[1] ?? '0';
  return (BigInt(`0x${effective}`) & (1n << 21n)) !== 0n;
}

/** A file system in memory on a folder, until it is disposed of; `size` as of tmpfs. */
export async function mounted(folder: string, size = '50%'): Promise<AsyncDisposable> {
  await runOk('mount', ['-t', 'tmpfs', '-o', `size=${size}`, 'none', folder]);
  return { [Symbol.asyncDispose]: async () => void (await runOk('umount', [folder])) };
}
