import type { RawPath } from './ids.ts';

/** Paths by their text alone, as Go's path/filepath treats them on Unix; the file system is never asked. */

/** The shortest equal spelling: no '//', no '.', '..' only in front of a relative path; '.' for nothing. */
export function cleanPath(path: RawPath): RawPath {
  const rooted = path.startsWith('/');
  const kept: string[] = [];
  for (const part of path.split('/')) {
    if (part === '' || part === '.') continue;
    if (part !== '..') kept.push(part);
    else if (kept.length > 0 && kept.at(-1) !== '..') kept.pop();
    else if (!rooted) kept.push(part);
  }
  return raw(rooted ? `/${kept.join('/')}` : kept.join('/') || '.');
}

/** Joined and cleaned; empty elements are left out. */
export function joinPath(...elements: readonly (RawPath | string)[]): RawPath {
  const given = elements.filter((element) => element !== '');
  return given.length === 0 ? raw('') : cleanPath(raw(given.join('/')));
}

/** All but the last element, cleaned. */
export function parentPath(path: RawPath): RawPath {
  return cleanPath(raw(path.slice(0, path.lastIndexOf('/') + 1)));
}

/** As `parentPath` of a path that is clean and absolute already, faster. */
export function folderOf(path: RawPath): RawPath {
  return raw(path.slice(0, Math.max(1, path.lastIndexOf('/'))));
}

/** The last element; '/' of the root, '.' of nothing. */
export function baseName(path: RawPath): RawPath {
  const name = path.replace(/\/+$/, '').split('/').at(-1) ?? '';
  return raw(name !== '' ? name : path === '' ? '.' : '/');
}

export function isAbsolutePath(path: RawPath): boolean {
  return path.startsWith('/');
}

/** Cleaned and, when relative, below `folder`, which is absolute. */
export function absolutePath(path: RawPath, folder: RawPath): RawPath {
  return isAbsolutePath(path) ? cleanPath(path) : joinPath(folder, path);
}

/** Elements of a cleaned path; of an absolute one the first is '/'. */
export function pathParts(path: RawPath): readonly string[] {
  if (path === '/') return ['/', ''];
  const parts = path.split('/');
  return parts[0] === '' ? ['/', ...parts.slice(1)] : parts;
}

function raw(text: string): RawPath {
  return text as RawPath; // made of parts of raw paths
}
