import { capacityNames } from '../capacities.ts';
import { recordHeaderBytes } from './walk.ts';

/** The end of a transaction; its number is 0 where the record doesn't say it in what is read. Nanoseconds since 1970. */
export interface EndFact {
  readonly kind: 'commit' | 'abort';
  readonly xid: number;
  readonly timeNs: bigint;
}

/** What else a record of the log tells that recovery or its plan must know. */
export type EventFact =
  | { readonly kind: 'restore-point'; readonly name: string; readonly timeNs: bigint }
  /** Recovery can begin at `redo`. */
  | { readonly kind: 'checkpoint' | 'shutdown'; readonly redo: bigint; readonly timeline: number }
  | { readonly kind: 'end-of-recovery'; readonly timeline: number; readonly before: number; readonly timeNs: bigint }
  | { readonly kind: 'switch' }
  /** A server that replays it must have at least as much of each, by the names of its settings. */
  | { readonly kind: 'capacities'; readonly capacities: Readonly<Record<string, number>> }
  /** Replayed as it stands, it is made at `path`, which is production's. */
  | { readonly kind: 'tablespace-created'; readonly oid: number; readonly path: string }
  | { readonly kind: 'tablespace-dropped'; readonly oid: number }
  | { readonly kind: 'database-created'; readonly oid: number; readonly tablespace: number }
  | { readonly kind: 'database-dropped'; readonly oid: number };

export type LogFact = EndFact | EventFact;

/** Resource managers by their numbers: rmgrlist.h. */
const managers = { log: 0, transaction: 1, database: 4, tablespace: 5 } as const;

/** As many of a record's first bytes as say all of what is read here, but of a transaction with very many objects. */
export const tellingBytes = 2048;

/** pg_control.h, XLOG_*. */
const ofLog: Readonly<Record<number, (data: DataView) => LogFact>> = {
  0x00: (data) => ({ kind: 'shutdown', ...checkpointOf(data) }),
  0x10: (data) => ({ kind: 'checkpoint', ...checkpointOf(data) }),
  0x40: () => ({ kind: 'switch' }),
  0x60: (data) => ({ kind: 'capacities', capacities: capacitiesOf(data) }),
  0x70: (data) => ({ kind: 'restore-point', timeNs: timeAt(data, 0), name: textAt(data, 8) }),
  0x90: (data) => ({
    kind: 'end-of-recovery',
    timeNs: timeAt(data, 0),
    timeline: data.getUint32(8, true),
    before: data.getUint32(12, true),
  }),
};

/** The kinds of xact.h that end a transaction. */
const transactionEnds: Readonly<Record<number, 'commit' | 'abort'>> = {
  0x00: 'commit',
  0x20: 'abort',
  0x30: 'commit',
  0x40: 'abort',
};

/** Up to 14 the second kind is a drop; since then databases are also made by logging each of their pages. */
function databaseKind(info: number, major: number): 'database-created' | 'database-dropped' | undefined {
  const kind = info & 0xf0;
  if (kind === 0 || (kind === 0x10 && major >= 15)) return 'database-created';
  return kind === (major >= 15 ? 0x20 : 0x10) ? 'database-dropped' : undefined;
}

/** Whether a record of this kind tells something: few do, and the many page images don't. */
export function isTelling(manager: number, info: number): boolean {
  if (manager === managers.transaction) return transactionEnds[info & 0x70] !== undefined;
  if (manager === managers.log) return ofLog[info & 0xf0] !== undefined;
  return manager === managers.database || manager === managers.tablespace;
}

export interface RecordHead {
  readonly major: number;
  readonly manager: number;
  readonly info: number;
  readonly xid: number;
  /** The record's first bytes, `tellingBytes` of them where it has as many. */
  readonly bytes: Uint8Array;
}

/** undefined: it is of no such kind, or too short for what it says that it is. */
export function readRecord(head: RecordHead): LogFact | undefined {
  try {
    const data = mainData(head.bytes);
    return data && factOf(head, data);
  } catch (error) {
    if (error instanceof RangeError) return undefined;
    throw error;
  }
}

function factOf({ major, manager, info, xid }: RecordHead, data: DataView): LogFact | undefined {
  if (manager === managers.transaction) return transactionOf({ major, info, xid }, data);
  if (manager === managers.log) return ofLog[info & 0xf0]?.(data);
  if (manager === managers.database) {
    const kind = databaseKind(info, major);
    const oid = data.getUint32(0, true);
    if (kind === 'database-dropped') return { kind, oid };
    return kind && { kind, oid, tablespace: data.getUint32(4, true) };
  }
  const oid = data.getUint32(0, true);
  if ((info & 0xf0) === 0) return { kind: 'tablespace-created', oid, path: textAt(data, 4) };
  return (info & 0xf0) === 0x10 ? { kind: 'tablespace-dropped', oid } : undefined;
}

const ids = { short: 255, long: 254, origin: 253, topLevel: 252 } as const;

/** The record's own data, as far as it is there, which may be none; undefined for one that is about pages. */
function mainData(bytes: Uint8Array): DataView | undefined {
  for (let at = recordHeaderBytes; at + 5 < bytes.length;) {
    const id = bytes[at];
    if (id === ids.short || id === ids.long) {
      const from = at + (id === ids.short ? 2 : 5);
      return new DataView(bytes.buffer, bytes.byteOffset + from, bytes.length - from);
    }
    if (id === ids.origin) at += 3;
    else if (id === ids.topLevel) at += 5;
    else return undefined;
  }
  return new DataView(new ArrayBuffer(0));
}

/** What is in a record of a transaction's end, by flags, before the number of a prepared one: ParseCommitRecord. */
const lists = { database: 1, children: 2, files: 4, statistics: 0x100, messages: 8, prepared: 0x10 } as const;

function transactionOf(
  { major, info, xid }: Pick<RecordHead, 'major' | 'info' | 'xid'>,
  data: DataView,
): LogFact | undefined {
  const kind = transactionEnds[info & 0x70];
  if (kind === undefined) return undefined;
  const timeNs = timeAt(data, 0);
  const isPrepared = (info & 0x70) >= 0x30;
  return { kind, timeNs, xid: isPrepared ? preparedXid(major, info, data) : xid };
}

/** 0 where it stands behind what was read of the record. */
function preparedXid(major: number, info: number, data: DataView): number {
  if ((info & 0x80) === 0) return 0;
  const flags = data.getUint32(8, true);
  let at = 12 + (flags & lists.database ? 8 : 0);
  const pass = (flag: number, itemBytes: number): void => {
    if (flags & flag) at += 4 + itemBytes * (at + 4 <= data.byteLength ? data.getUint32(at, true) : 0);
  };
  pass(lists.children, 4);
  pass(lists.files, 12);
  pass(lists.statistics, major >= 18 ? 16 : 12);
  pass(lists.messages, 16);
  return flags & lists.prepared && at + 4 <= data.byteLength ? data.getUint32(at, true) : 0;
}

function checkpointOf(data: DataView): { readonly redo: bigint; readonly timeline: number } {
  return { redo: data.getBigUint64(0, true), timeline: data.getUint32(8, true) };
}

/** xl_parameter_change. */
function capacitiesOf(data: DataView): Readonly<Record<string, number>> {
  return Object.fromEntries(capacityNames.map((name, index) => [name, data.getInt32(4 * index, true)]));
}

/** PostgreSQL counts microseconds from the year 2000 on. */
const year2000Us = 946_684_800_000_000n;

function timeAt(data: DataView, at: number): bigint {
  return (data.getBigInt64(at, true) + year2000Us) * 1000n;
}

function textAt(data: DataView, at: number): string {
  const bytes = new Uint8Array(data.buffer, data.byteOffset + at, data.byteLength - at);
  const end = bytes.indexOf(0);
  return Buffer.from(bytes.subarray(0, end === -1 ? bytes.length : end)).toString();
}
