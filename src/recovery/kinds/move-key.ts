import { basename, dirname } from 'node:path';
import { ForeignFolder } from '../../host/foreign-folder.ts';

/** Lasting when it returns. The server's user may have put links above it, which would lead to another's. */
export function moveKey(from: string, to: string): void {
  using source = folderOf(from);
  using target = folderOf(to);
  source.rename(basename(from), target, basename(to));
  target.sync();
  source.sync();
}

/** Lasting when it returns, where it was there; without its folder it isn't. */
export function removeKey(path: string): void {
  using above = aboveFolderOf(path);
  const name = basename(dirname(path));
  if (!above.has(name)) return;
  using folder = above.folder(name);
  folder.remove(basename(path));
  folder.sync();
}

function folderOf(path: string): ForeignFolder {
  using above = aboveFolderOf(path);
  return above.folder(basename(dirname(path)));
}

function aboveFolderOf(path: string): ForeignFolder {
  return ForeignFolder.open(dirname(dirname(path)));
}
