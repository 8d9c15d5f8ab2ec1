import { randomBytes } from 'node:crypto';
import { mkdir, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { HoldfastError } from '../../errors/error.ts';
import { errorCode, reasonOf } from '../../host/system-error.ts';
import { processIsAlive } from '../../host/users.ts';

/** A folder for what a verification restores, readable by this user alone and gone when it is disposed of. */
export interface Scratch extends AsyncDisposable {
  readonly path: string;
}

/** Below a folder of ours alone; what processes left there that are gone is removed first. */
export async function scratchBelow(folder: string): Promise<Scratch> {
  try {
    await mkdir(folder, { recursive: true, mode: 0o700 });
    await removeLeftovers(folder);
    const path = join(folder, `${process.pid}-${randomBytes(6).toHex()}`);
    await mkdir(path, { mode: 0o700 });
    return { path, [Symbol.asyncDispose]: async () => await rm(path, { recursive: true, force: true }) };
  } catch (cause) {
    if (errorCode(cause) === undefined) throw cause;
    throw new HoldfastError('refused', `no folder for the verification can be made in ${folder}: ${reasonOf(cause)}`, {
      cause,
    });
  }
}

async function removeLeftovers(folder: string): Promise<void> {
  for (const name of await readdir(folder)) {
    const pid = Number(/^(\d+)-[0-9a-f]{12}$/.exec(name)?.[1] ?? Number.NaN);
    if (Number.isInteger(pid) && pid !== process.pid && !processIsAlive(pid))
      await rm(join(folder, name), { recursive: true, force: true });
  }
}
