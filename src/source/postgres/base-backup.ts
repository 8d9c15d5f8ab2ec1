import { HoldfastError } from '../../errors/error.ts';
import { parseLsn } from './lsn.ts';
import type { Answer, Copied, CopiedBytes } from './replication.ts';

/**
 * The command BASE_BACKUP of the replication protocol, and what a server sends for it. Up to 14 the options stand
 * without parentheses, each tablespace is a copy of its own, and the manifest is one more; from 15 on there is one copy,
 * whose messages say what they are (documentation, "Streaming Replication Protocol").
 */
export interface BaseBackupOptions {
  readonly major: number;
  readonly label: string;
  readonly checkpoint: 'fast' | 'spread';
  /** Kilobytes a second that the server sends at most. */
  readonly maxRateKb?: number | undefined;
  /** 'since': what changed since the backup whose manifest was uploaded on this connection (17 and later). */
  readonly blocks?: 'all' | 'since' | undefined;
}

/** With the log that it needs, with sizes, with a manifest, and without a map that would lead to the tablespaces of now. */
export function baseBackupCommand({ major, label, checkpoint, maxRateKb, blocks }: BaseBackupOptions): string {
  const name = `LABEL '${label.replaceAll("'", "''")}'`;
  const rate = maxRateKb === undefined ? [] : [`MAX_RATE ${maxRateKb}`];
  const manifest = ["MANIFEST 'yes'", "MANIFEST_CHECKSUMS 'CRC32C'"];
  if (major < 15) {
    const fast = checkpoint === 'fast' ? ['FAST'] : [];
    return ['BASE_BACKUP', name, 'PROGRESS', ...fast, 'WAL', 'NOWAIT', ...rate, ...manifest].join(' ');
  }
  const since = blocks === 'since' ? ['INCREMENTAL'] : [];
  const always = [name, 'PROGRESS', `CHECKPOINT '${checkpoint}'`, 'WAL', 'WAIT false'];
  const options = [...always, ...rate, ...manifest, ...since];
  return `BASE_BACKUP (${options.join(', ')})`;
}

/** How `backupParts` wants the answers of this command. */
export function copiedBy(major: number): Copied {
  return major < 15 ? 'parts' : 'marked';
}

export interface LogPosition {
  readonly lsn: bigint;
  readonly timeline: number;
}

export interface Tablespace {
  /** undefined: the data directory itself. */
  readonly oid: string | undefined;
  readonly location: string | undefined;
  readonly sizeBytes: number;
}

export type BackupPart =
  | { readonly kind: 'start'; readonly at: LogPosition }
  | { readonly kind: 'tablespaces'; readonly tablespaces: readonly Tablespace[] }
  /** A tar file begins; the bytes that follow are its own. */
  | { readonly kind: 'archive'; readonly tablespace: string | undefined }
  | { readonly kind: 'manifest' }
  | { readonly kind: 'bytes'; readonly bytes: Uint8Array }
  | { readonly kind: 'end'; readonly at: LogPosition };

/** Makes one sequence of what either grammar sends. */
export async function* backupParts(answers: AsyncIterable<Answer>, major: number): AsyncGenerator<BackupPart> {
  let rows: (readonly (string | null)[])[] = [];
  let [results, copies] = [0, 0];
  let tablespaces: readonly Tablespace[] = [];
  for await (const answer of answers) {
    if (answer.kind === 'row') rows.push(answer.values);
    else if (answer.kind === 'rows-end') {
      results += 1;
      if (results === 1) yield { kind: 'start', at: positionOf(rows) };
      if (results === 2) yield { kind: 'tablespaces', tablespaces: (tablespaces = rows.map(tablespaceOf)) };
      if (results === 3) yield { kind: 'end', at: positionOf(rows) };
      rows = [];
    } else if (major >= 15) yield* answer.kind === 'bytes' ? marked(answer) : [];
    else if (answer.kind === 'copy-start') yield beginning(tablespaces, copies++);
    else if (answer.kind === 'bytes') yield answer;
  }
}

function beginning(tablespaces: readonly Tablespace[], copy: number): BackupPart {
  const tablespace = tablespaces[copy];
  return tablespace === undefined ? { kind: 'manifest' } : { kind: 'archive', tablespace: tablespace.oid };
}

/** 15 and later: the first byte of each message says what it is. */
function* marked({ mark = 0, bytes }: CopiedBytes): Generator<BackupPart> {
  switch (String.fromCharCode(mark)) {
    case 'd':
      yield { kind: 'bytes', bytes };
      return;
    case 'n':
      yield { kind: 'archive', tablespace: tablespaceNamed(bytes) };
      return;
    case 'm':
      yield { kind: 'manifest' };
      return;
    case 'p':
      return; // how far it is: counted here as it comes
    default:
      throw new HoldfastError('source-failed', `the server sent a message of an unknown kind, ${mark}`);
  }
}

/** `16385.tar`, `base.tar`; the location that follows was told before. */
function tablespaceNamed(bytes: Uint8Array): string | undefined {
  const name = Buffer.from(bytes.subarray(0, bytes.indexOf(0))).toString('latin1');
  if (name === 'base.tar') return undefined;
  const oid = /^(\d+)\.tar$/.exec(name)?.[1];
  if (oid === undefined) throw new HoldfastError('source-failed', `the server sent an archive of the name ${name}`);
  return oid;
}

function positionOf(rows: readonly (readonly (string | null)[])[]): LogPosition {
  const [lsn, timeline] = rows[0] ?? [];
  if (typeof lsn !== 'string' || typeof timeline !== 'string' || !/^\d+$/.test(timeline))
    throw new HoldfastError('source-failed', 'the server did not say where in its log the backup stands');
  return { lsn: parseLsn(lsn), timeline: Number(timeline) };
}

function tablespaceOf([oid, location, sizeKib]: readonly (string | null)[]): Tablespace {
  if (typeof oid === 'string' && !/^\d+$/.test(oid))
    throw new HoldfastError('source-failed', `the server named a tablespace ${oid}`);
  return { oid: oid ?? undefined, location: location ?? undefined, sizeBytes: Number(sizeKib ?? 0) * 1024 };
}
