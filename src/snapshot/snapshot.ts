import { countOf, fieldsExcept, fieldsOf, listOf, parseFields, textOf, type Fields } from '../bytes/fields.ts';
import { goJsonString, goJsonValue } from '../bytes/go-json.ts';
import { parseGoTime } from '../bytes/go-time.ts';
import { parseBlobId, parseFileId, type BlobId, type FileId } from '../bytes/ids.ts';
import { utf8Bytes } from '../bytes/utf8.ts';
import { decodeSummary, encodeSummary, type SnapshotSummary } from './snapshot/summary.ts';

export type { BackupCounts, SnapshotSummary } from './snapshot/summary.ts';

/** What a snapshot file holds. Its ID is the hash of the sealed bytes, so it is no part of it. */
export interface SnapshotFields {
  /** As written, with the offset of the zone it was made in: keep rules count days in that zone. */
  readonly time: string;
  readonly parent?: FileId;
  readonly tree: BlobId;
  /** Absolute, as a person typed them. */
  readonly paths: readonly string[];
  readonly hostname: string;
  readonly username: string;
  readonly uid: number;
  readonly gid: number;
  readonly excludes: readonly string[];
  readonly tags: readonly string[];
  /** The snapshot that this one was made from, by copy or by tag. */
  readonly original?: FileId;
  readonly programVersion: string;
  readonly summary?: SnapshotSummary;
  /** Members that only other programs know; kept when the snapshot is written again. */
  readonly others: Fields;
}

/** A stored snapshot. */
export interface Snapshot extends SnapshotFields {
  readonly id: FileId;
  /** `time` in nanoseconds since 1970. */
  readonly timeNs: bigint;
}

const known = [
  'time',
  'parent',
  'tree',
  'paths',
  'hostname',
  'username',
  'uid',
  'gid',
  'excludes',
  'tags',
  'original',
  'program_version',
  'summary',
] as const;

/** 'damaged' when a field makes no sense. */
export function decodeSnapshot(id: FileId, plaintext: Uint8Array): Snapshot {
  const what = `snapshot ${id.slice(0, 8)}`;
  const fields = parseFields(plaintext, what);
  const optional = {
    ...(isGiven(fields['parent']) && { parent: parseFileId(textOf(fields['parent'], what)) }),
    ...(isGiven(fields['original']) && { original: parseFileId(textOf(fields['original'], what)) }),
    ...(isGiven(fields['summary']) && { summary: decodeSummary(fieldsOf(fields['summary'], what), what) }),
  };
  const time = textOf(fields['time'], what);
  return {
    id,
    time,
    timeNs: parseGoTime(time),
    tree: parseBlobId(textOf(fields['tree'], what)),
    paths: texts(fields['paths'], what),
    hostname: textOf(fields['hostname'] ?? '', what),
    username: textOf(fields['username'] ?? '', what),
    uid: countOf(fields['uid'] ?? 0, 2 ** 32 - 1, what),
    gid: countOf(fields['gid'] ?? 0, 2 ** 32 - 1, what),
    excludes: texts(fields['excludes'], what),
    tags: texts(fields['tags'], what),
    programVersion: textOf(fields['program_version'] ?? '', what),
    ...optional,
    others: fieldsExcept(fields, ...known),
  };
}

function isGiven(value: unknown): boolean {
  return value !== undefined && value !== null;
}

/** Go writes an absent list as null. */
function texts(value: unknown, what: string): readonly string[] {
  return listOf(value ?? [], what).map((item) => textOf(item, what));
}

/** The JSON that restic writes for it. */
export function encodeSnapshot(snapshot: SnapshotFields): Uint8Array {
  const members = [
    `"time":${text(snapshot.time)}`,
    optional('parent', snapshot.parent),
    `"tree":"${snapshot.tree}"`,
    `"paths":${list(snapshot.paths)}`,
    optional('hostname', snapshot.hostname),
    optional('username', snapshot.username),
    snapshot.uid === 0 ? '' : `"uid":${snapshot.uid}`,
    snapshot.gid === 0 ? '' : `"gid":${snapshot.gid}`,
    snapshot.excludes.length === 0 ? '' : `"excludes":${list(snapshot.excludes)}`,
    snapshot.tags.length === 0 ? '' : `"tags":${list(snapshot.tags)}`,
    optional('original', snapshot.original),
    optional('program_version', snapshot.programVersion),
    snapshot.summary === undefined ? '' : `"summary":${encodeSummary(snapshot.summary)}`,
    ...Object.entries(snapshot.others).map(([name, value]) => `${text(name)}:${goJsonValue(value)}`),
  ];
  return Buffer.from(`{${members.filter((member) => member !== '').join(',')}}`, 'latin1');
}

function optional(name: string, value = ''): string {
  return value === '' ? '' : `"${name}":${text(value)}`;
}

function list(values: readonly string[]): string {
  return `[${values.map(text).join(',')}]`;
}

function text(value: string): string {
  return goJsonString(utf8Bytes(value));
}
