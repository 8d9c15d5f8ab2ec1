import { accessSync, constants } from 'node:fs';
import { displayPath, systemPath, type RawPath } from '../bytes/ids.ts';
import { canBeFound } from '../host/find-program.ts';
import { errorCode, reasonOf } from '../host/system-error.ts';

/** What a source needs that is not there now; for people. */
export interface Lacking {
  /** A path, a program, a place. */
  readonly what: string;
  readonly reason: string;
}

/** Paths that can't be read. */
export function lackingPaths(paths: readonly RawPath[]): readonly Lacking[] {
  return paths.flatMap((path) => {
    try {
      accessSync(systemPath(path), constants.R_OK);
      return [];
    } catch (error) {
      if (errorCode(error) === undefined) throw error;
      return [{ what: displayPath(path), reason: reasonOf(error) }];
    }
  });
}

export function lackingProgram(program: string): readonly Lacking[] {
  return canBeFound(program) ? [] : [{ what: program, reason: 'there is no such program that could be run' }];
}
