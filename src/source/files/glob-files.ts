import { lstatSync, statSync } from 'node:fs';
import { compileGlob, hasGlob } from '../../bytes/glob.ts';
import { rawPathOfByteString, systemPath, type RawPath } from '../../bytes/ids.ts';
import { joinPath } from '../../bytes/unix-path.ts';
import { Directory } from '../../host/directory.ts';
import { errorCode } from '../../host/system-error.ts';

/**
 * Paths that exist and match, folder by folder in byte order, as Go's filepath.Glob finds them for --files-from: what
 * can't be listed has no matches. Relative patterns are taken from this process's folder. 'usage' when malformed.
 */
export function matchingFiles(pattern: RawPath): readonly RawPath[] {
  compileGlob(pattern);
  if (!hasGlob(pattern)) return lstatThere(pattern) ? [pattern] : [];
  const slash = pattern.lastIndexOf('/');
  const matches = compileGlob(rawPathOfByteString(pattern.slice(slash + 1)));
  return foldersOf(rawPathOfByteString(pattern.slice(0, slash + 1))).flatMap((folder) =>
    namesOf(folder)
      .filter((name) => matches(name))
      .toSorted()
      .map((name) => joinPath(folder, name)),
  );
}

/** `start`: what stands before a pattern's last name, slash included. */
function foldersOf(start: RawPath): readonly RawPath[] {
  if (start === '') return [rawPathOfByteString('.')];
  const folder = rawPathOfByteString(start === '/' ? start : start.slice(0, -1));
  return hasGlob(folder) ? matchingFiles(folder) : [folder];
}

function namesOf(folder: RawPath): readonly RawPath[] {
  return ifThere(() => {
    if (!statSync(systemPath(folder)).isDirectory()) return [];
    using directory = Directory.open(folder);
    return directory.names();
  }, []);
}

function lstatThere(path: RawPath): boolean {
  return ifThere(() => lstatSync(systemPath(path), { throwIfNoEntry: false }) !== undefined, false);
}

function ifThere<Result>(ask: () => Result, otherwise: Result): Result {
  try {
    return ask();
  } catch (error) {
    if (errorCode(error) === undefined) throw error;
    return otherwise; // as Go: a pattern matches what can be seen
  }
}
