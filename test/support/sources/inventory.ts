import { createHash } from 'node:crypto';
import { lstat, readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';

/** Every path below a folder with its type, times of change and content: what somebody changed shows. */
export async function inventoryOf(folder: string): Promise<readonly string[]> {
  const names = await readdir(folder, { recursive: true });
  return await Promise.all(
    ['.', ...names.toSorted()].map(async (name) => {
      const path = join(folder, name);
      const { mode, mtimeNs, ctimeNs, ino } = await lstat(path, { bigint: true });
      const isFile = (mode & 0o170000n) === 0o100000n;
      const hash = isFile
        ? createHash('sha256')
            .update(await readFile(path))
            .digest('hex')
        : '';
      return [name, mode, mtimeNs, ctimeNs, ino, hash].join(' ');
    }),
  );
}
