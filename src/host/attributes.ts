import { fchmodSync, fchownSync } from 'node:fs';
import type { RawPath } from '../bytes/ids.ts';
import type { Directory } from './directory.ts';
import { errorCode } from './system-error.ts';
import { setTimes, type FileTimes } from './times.ts';
import { listXattrs, removeXattr, setXattr } from './xattr.ts';

/** What a file or folder gets besides its content: a value that threads may hand to each other. */
export interface FileAttributes extends FileTimes {
  readonly uid: number;
  readonly gid: number;
  /** What chmod takes, setuid, setgid and sticky included. */
  readonly permissions: number;
  readonly xattrs: readonly XattrValue[];
}

export interface XattrValue {
  readonly name: string;
  readonly value: Uint8Array;
}

export interface AttributeOptions {
  /** Names that may be set and removed; 'all': what the file has and `xattrs` doesn't name is removed. */
  readonly selectXattr: XattrSelection;
  /** Called with what this user or file system can't keep: 'owner', 'extended attributes', 'times', 'mode'. */
  readonly onLost: (what: string) => void;
}

export type XattrSelection = 'all' | ((name: string) => boolean);

/**
 * Gives an open file or folder its attributes. The order matters: changing the owner clears setuid and capabilities,
 * attributes of files without write permission can't be set, and a mode is the last word on an ACL's mask. What only
 * root may do is told as lost when we aren't; anything else throws, after all was tried.
 */
export function applyToOpen(fd: number, attributes: FileAttributes, options: AttributeOptions): void {
  const errors: unknown[] = [];
  attempt('owner', () => fchownSync(fd, attributes.uid, attributes.gid), options, errors);
  attempt('extended attributes', () => applyXattrs(fd, attributes, options), options, errors);
  attempt('times', () => setTimes(fd, attributes), options, errors);
  attempt('mode', () => fchmodSync(fd, attributes.permissions), options, errors);
  if (errors.length > 0) throw errors[0];
}

/** The same for what can't be opened: links, which have no mode of their own, fifos, devices. */
export function applyToChild(
  { directory, name, isLink }: { readonly directory: Directory; readonly name: RawPath; readonly isLink: boolean },
  attributes: FileAttributes,
  options: AttributeOptions,
): void {
  const path = directory.path(name);
  const errors: unknown[] = [];
  attempt('owner', () => directory.chown(name, attributes.uid, attributes.gid), options, errors);
  attempt('extended attributes', () => applyXattrs(path, attributes, options), options, errors);
  attempt('times', () => setTimes(path, attributes), options, errors);
  attempt('mode', () => (isLink ? undefined : directory.chmod(name, attributes.permissions)), options, errors);
  if (errors.length > 0) throw errors[0];
}

function attempt(what: string, act: () => void, { onLost }: AttributeOptions, errors: unknown[]): void {
  try {
    act();
  } catch (error) {
    if (isNotOurs(error)) onLost(what);
    else errors.push(error);
  }
}

/** Refused to a user who isn't root, or by a file system that keeps no such thing. */
function isNotOurs(error: unknown): boolean {
  const code = errorCode(error);
  if (code === 'ENOTSUP') return true;
  return (code === 'EPERM' || code === 'EACCES') && process.geteuid?.() !== 0;
}

function applyXattrs(target: RawPath | number, { xattrs }: FileAttributes, { selectXattr }: AttributeOptions): void {
  const wanted = selectXattr === 'all' ? xattrs : xattrs.filter(({ name }) => selectXattr(name));
  for (const name of present(target, wanted.length > 0)) {
    const isSelected = selectXattr === 'all' || selectXattr(name);
    if (isSelected && !wanted.some((xattr) => xattr.name === name)) removeXattr(target, name);
  }
  for (const { name, value } of wanted) setXattr(target, name, value);
}

/** A file system without attributes is no loss where none are wanted. */
function present(target: RawPath | number, someAreWanted: boolean): readonly string[] {
  try {
    return listXattrs(target);
  } catch (error) {
    if (errorCode(error) === 'ENOTSUP' && !someAreWanted) return [];
    throw error;
  }
}
