import { readFile, readdir, rmdir } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { HoldfastError } from '../../../errors/error.ts';
import { copyTree } from '../../../host/copy-tree.ts';
import { ForeignFolder } from '../../../host/foreign-folder.ts';
import { syncFileSystem } from '../../../host/sync.ts';
import { errorCode } from '../../../host/system-error.ts';
import type { Replay } from '../../recovery.ts';
import { parseDescription } from '../description.ts';
import { Workplace } from './workplace.ts';

type Moved = NonNullable<Replay['moved']>[number];

/** Moves tablespaces, which came as folders of the data directory, to places of their own, with links that lead there. */
export async function moveTablespaces({
  folder,
  moved = [],
  signal,
}: Pick<Replay, 'folder' | 'moved' | 'signal'>): Promise<void> {
  if (moved.length === 0) return;
  const { tablespaces } = parseDescription(await readFile(join(folder, 'postgres.json'), 'utf8'));
  using at = Workplace.open(folder);
  using spaces = at.data.folder('pg_tblspc');
  for (const one of moved) {
    const { oid } = tablespaces.find(({ oid: its, location }) => one.from === location || one.from === its) ?? {};
    if (oid === undefined) throw unknown(one, tablespaces);
    await moveTo(spaces, oid, { to: one.to, signal });
  }
}

async function moveTo(
  spaces: ForeignFolder,
  oid: string,
  { to, signal }: Pick<Moved, 'to'> & { readonly signal: AbortSignal },
): Promise<void> {
  await assertEmpty(to);
  {
    using _real = spaces.folder(oid);
    using above = ForeignFolder.open(dirname(to), 'followed');
    try {
      spaces.rename(oid, above, basename(to));
    } catch (error) {
      if (errorCode(error) !== 'EXDEV') throw error;
      await copyTree(join(spaces.path, oid), to, signal);
      await syncFileSystem(to, signal); // another disk, which nobody else knows of
    }
  }
  spaces.lead(oid, to);
}

/** What a cluster uses is not empty; an empty folder makes room. */
async function assertEmpty(to: string): Promise<void> {
  try {
    if ((await readdir(to)).length === 0) return await rmdir(to);
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return;
    throw error;
  }
  throw new HoldfastError('refused', `${to} is not empty: no tablespace is put there`);
}

function unknown(
  { from }: Moved,
  tablespaces: readonly { readonly oid: string; readonly location?: string | undefined }[],
): HoldfastError {
  const known = tablespaces.map(({ oid, location }) => `${location ?? ''} (${oid})`).join(', ');
  return new HoldfastError(
    'refused',
    `the backup has no tablespace at ${from}; it has ${known === '' ? 'none' : known}`,
  );
}
