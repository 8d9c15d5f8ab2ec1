import { lstatSync } from 'node:fs';
import { displayPath, rawPath, systemPath, type RawPath } from '../bytes/ids.ts';
import { HoldfastError } from '../errors/error.ts';
import type { Listener } from '../events/events.ts';
import { errorCode } from '../host/system-error.ts';
import { expandVariables } from './files/expand.ts';
import { matchingFiles } from './files/glob-files.ts';
import { linesOf, trimmed } from './files/lines.ts';

/** Contents of the files that options like --files-from name, read by the caller. */
export interface TargetLists {
  /** A pattern a line; white space around it, empty lines and those that begin with '#' are left out. */
  readonly patterns: readonly Uint8Array[];
  /** A path a line, as it stands; empty lines are left out. */
  readonly verbatim: readonly Uint8Array[];
  /** Paths that each end with a zero byte. */
  readonly raw: readonly Uint8Array[];
  /** What stands on the command line; comes last. */
  readonly named: readonly RawPath[];
}

/**
 * The targets of a backup, as restic gathers them. One that isn't there is left out with a 'warning'; a pattern
 * without a match with a note 'pattern-without-match': {pattern}. 'usage' when none is named, 'source-failed' when
 * none is there.
 */
export function gatherTargets(lists: TargetLists, listener: Listener): readonly RawPath[] {
  const targets = [
    ...lists.patterns.flatMap((file) => patternsIn(file)).flatMap((pattern) => filesFor(pattern, listener)),
    ...lists.verbatim.flatMap((file) => linesOf(file).filter((line) => line !== '')),
    ...lists.raw.flatMap(zeroTerminated),
    ...lists.named,
  ];
  if (targets.length === 0) throw new HoldfastError('usage', 'nothing to back up: name files or folders');
  const there = targets.filter((target) => isThere(target, listener));
  if (there.length > 0) return there;
  throw new HoldfastError('source-failed', 'none of the files and folders to back up is there');
}

/** The patterns of an --exclude-file: as a list of targets, with variables ($HOME) put in. */
export function patternsOfExcludeFile(
  file: Uint8Array,
  variables: Readonly<Record<string, string | undefined>>,
): readonly RawPath[] {
  return patternsIn(file).map((line) => expandVariables(line, variables));
}

function patternsIn(file: Uint8Array): readonly RawPath[] {
  return linesOf(file)
    .map(trimmed)
    .filter((line) => line !== '' && !line.startsWith('#'));
}

function filesFor(pattern: RawPath, listener: Listener): readonly RawPath[] {
  const files = matchingFiles(pattern);
  const data = { pattern: displayPath(pattern) };
  if (files.length === 0) listener({ kind: 'note', name: 'pattern-without-match', data });
  return files;
}

function zeroTerminated(file: Uint8Array): readonly RawPath[] {
  const names = Buffer.from(file).toString('latin1').split('\0');
  if (names.pop() !== '') throw new HoldfastError('usage', '--files-from-raw: the last name has no zero byte');
  if (names.includes('')) throw new HoldfastError('usage', '--files-from-raw: a name is empty');
  return names.map((name) => rawPath(Buffer.from(name, 'latin1')));
}

function isThere(target: RawPath, listener: Listener): boolean {
  try {
    lstatSync(systemPath(target));
    return true;
  } catch (error) {
    const code = errorCode(error);
    if (code === undefined) throw error;
    const message = code === 'ENOENT' ? 'left out: it does not exist' : "left out: it can't be accessed";
    listener({ kind: 'warning', during: 'scan', item: displayPath(target), message });
    return false;
  }
}
