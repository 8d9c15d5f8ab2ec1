import { lstatSync, readdirSync, readlinkSync, statSync, type BigIntStats } from 'node:fs';
import { displayPath, rawPathOfByteString, systemPath, type RawPath } from '../../../bytes/ids.ts';
import { absolutePath, joinPath } from '../../../bytes/unix-path.ts';
import { HoldfastError } from '../../../errors/error.ts';
import { errorCode, reasonOf } from '../../../host/system-error.ts';
import type { Tablespace } from '../base-backup.ts';
import { isEmptied, isExcluded, unloggedIn } from './belonging.ts';

/** A file or folder that belongs into the backup. */
export interface Listed {
  /** In the data directory of the snapshot, where tablespaces are folders. */
  readonly path: RawPath;
  /** On this host. */
  readonly place: RawPath;
  readonly type: 'file' | 'dir';
  readonly stat: BigIntStats;
}

export interface ListOptions {
  readonly root: RawPath;
  readonly major: number;
  readonly tablespaces: readonly Tablespace[];
  /** Told of what is left out though it may matter. */
  readonly leftOut: (path: RawPath, why: string) => void;
}

/** Written last, when everything else is read. */
export const controlPath = rawPathOfByteString('global/pg_control');

/** Folder by folder in the order of names, each before what is in it. What vanishes meanwhile was dropped, and the log says so. */
export function* list(options: ListOptions): Generator<Listed> {
  yield* below(options, rawPathOfByteString(''), options.root);
  for (const { oid, location } of options.tablespaces)
    if (oid !== undefined && location !== undefined) yield* tablespace(options, oid, location);
}

/** Of a tablespace only the folder of this version: others may share its place. */
function* tablespace(options: ListOptions, oid: string, location: string): Generator<Listed> {
  const path = rawPathOfByteString(`pg_tblspc/${oid}`);
  const place = absolutePath(rawPathOfByteString(location), joinPath(options.root, 'pg_tblspc'));
  yield { path, place, type: 'dir', stat: folderBehind(place) };
  for (const name of namesIn(place).filter((each) => each.startsWith(`PG_${options.major}_`)))
    yield* item(options, joinPath(path, name), joinPath(place, name));
}

function* below(options: ListOptions, path: RawPath, place: RawPath): Generator<Listed> {
  const names = namesIn(place);
  const isUnlogged = unloggedIn(names);
  for (const name of names) {
    if (isExcluded(name) || isUnlogged(name)) continue;
    yield* item(options, joinPath(path, name), joinPath(place, name));
  }
}

function* item(options: ListOptions, path: RawPath, place: RawPath): Generator<Listed> {
  if (path === controlPath) return;
  const stat = lstatSync(systemPath(place), { bigint: true, throwIfNoEntry: false });
  if (stat === undefined) return;
  if (isEmptied(path)) yield { path, place, type: 'dir', stat: folderBehind(place) };
  else if (stat.isDirectory()) {
    yield { path, place, type: 'dir', stat };
    yield* below(options, path, place);
  } else if (stat.isFile()) yield { path, place, type: 'file', stat };
  else if (stat.isSymbolicLink() && !/^pg_tblspc\/\d+$/.test(path))
    options.leftOut(path, 'left out: it is a link, which the server leaves out of its base backups as well');
}

/** pg_wal and others may be links to folders elsewhere. */
function folderBehind(place: RawPath): BigIntStats {
  try {
    return statSync(systemPath(place), { bigint: true });
  } catch (error) {
    throw unreadable(place, error);
  }
}

function namesIn(place: RawPath): readonly RawPath[] {
  try {
    return readdirSync(systemPath(place), 'latin1').map(rawPathOfByteString).toSorted();
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return [];
    throw unreadable(place, error);
  }
}

/** 'source-failed': the files of a cluster belong to its user, and mostly nobody else may read them. */
export function unreadable(place: RawPath, error: unknown): HoldfastError {
  return new HoldfastError('source-failed', `${displayPath(place)} can’t be read here: ${reasonOf(error)}`, {
    cause: error,
    next: 'Run Holdfast as the user whose files they are (mostly postgres) or as root; or leave `reading` at `protocol`.',
  });
}

/** Tablespaces by what stands in pg_tblspc; one that is a folder there needs no place elsewhere. */
export function tablespacesOf(root: RawPath): readonly Tablespace[] {
  const folder = joinPath(root, 'pg_tblspc');
  return namesIn(folder)
    .filter((name) => /^\d+$/.test(name))
    .flatMap((oid) => {
      const place = systemPath(joinPath(folder, oid));
      if (!lstatSync(place).isSymbolicLink()) return [];
      return [{ oid, location: readlinkSync(place, 'latin1'), sizeBytes: 0 }];
    });
}
