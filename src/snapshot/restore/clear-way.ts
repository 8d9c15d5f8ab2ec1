import type { RawPath } from '../../bytes/ids.ts';
import type { Directory } from '../../host/directory.ts';

/**
 * Removes what stands at a name, whatever it is. A folder that isn't empty only with 'all', else 'ENOTEMPTY'.
 * Calls `gone` for each thing removed, with its path below `name`, children first.
 */
export function removeAt(
  directory: Directory,
  name: RawPath,
  depth: 'one' | 'all',
  gone: (path: RawPath) => void,
): void {
  const stats = directory.lstatIfThere(name);
  if (stats === undefined) return;
  if (!stats.isDirectory()) directory.unlink(name);
  else {
    if (depth === 'all') removeChildren(directory, name, gone);
    directory.removeDirectory(name);
  }
  gone(name);
}

function removeChildren(directory: Directory, name: RawPath, gone: (path: RawPath) => void): void {
  using child = directory.openDirectory(name);
  for (const inner of child.names()) {
    // Branded: a path made of two paths.
    removeAt(child, inner, 'all', (path) => gone(`${name}/${path}` as RawPath));
  }
}
