import { mkdir, open, readFile, unlink } from 'node:fs/promises';
import { dirname } from 'node:path';
import { errorCode } from '../host/system-error.ts';
import { processIsAlive } from '../host/users.ts';
import type { Lease, Taken } from './lease.ts';

/** A file with the number of the process; one of a process that is gone is taken over. */
export async function hostLock(path: string): Promise<Lease | Taken> {
  await mkdir(dirname(path), { recursive: true, mode: 0o700 });
  for (;;) {
    try {
      await using file = await open(path, 'wx', 0o600);
      await file.writeFile(String(process.pid));
      return { assertHeld: async () => undefined, [Symbol.asyncDispose]: async () => await unlink(path) };
    } catch (error) {
      if (errorCode(error) !== 'EEXIST') throw error;
    }
    const pid = Number(await readFile(path, 'utf8').catch(() => ''));
    if (processIsAlive(pid)) return { by: `process ${pid} of this host`, state: 'running' };
    await unlink(path).catch((error: unknown) => {
      if (errorCode(error) !== 'ENOENT') throw error;
    });
  }
}
