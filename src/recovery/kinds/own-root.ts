import { lstatSync, mkdirSync, type Stats } from 'node:fs';
import { HoldfastError } from '../../errors/error.ts';
import { ForeignFolder } from '../../host/foreign-folder.ts';
import { errorCode } from '../../host/system-error.ts';
import { currentUser } from '../../host/users.ts';

/**
 * A plan's own folder stands beside what it replaces, where the user of a server may put another of its name. What is noted
 * in there says what is overwritten and removed: it is believed only where nobody but us can have written it ('refused').
 */
export function openOwnRoot(root: string): ForeignFolder | undefined {
  const stats = lstatSync(root, { throwIfNoEntry: false });
  if (stats === undefined) return undefined;
  assertOurs(root, stats);
  const opened = ForeignFolder.open(root);
  assertOurs(root, opened.stat());
  return opened;
}

/** Where nothing stands yet it is fine. */
export function assertOwnRoot(root: string): void {
  const stats = lstatSync(root, { throwIfNoEntry: false });
  if (stats !== undefined) assertOurs(root, stats);
}

/** Made where it isn't there. The server's user has to get through, and sees no names. */
export function haveOwnRoot(root: string): void {
  try {
    mkdirSync(root, { mode: 0o711 });
  } catch (error) {
    if (errorCode(error) !== 'EEXIST') throw error;
  }
  using own = openOwnRoot(root);
  own?.setMode(0o711);
}

function assertOurs(root: string, stats: Stats): void {
  const { name, uid } = currentUser();
  if (stats.isDirectory() && stats.uid === uid && (stats.mode & 0o022) === 0) return;
  const whose = name === '' ? `uid ${uid}` : name;
  throw new HoldfastError(
    'refused',
    `${root} is not a folder that ${whose} alone can write to: nothing in it is believed`,
    {
      next: 'If another user began a restore in place there, run the command as that user; else look at it, move it away, and run the command again. Nothing was changed.',
    },
  );
}
