import { fieldsOf, listOf, type Fields } from '../../../bytes/fields.ts';
import { HoldfastError } from '../../../errors/error.ts';
import { readEvent } from './sidecar-event.ts';
import { bigOf, bytesOf, numberOf, oneOf, readPlace } from './sidecar-values.ts';
import type { CutRecord, Ending, Endings, LogSummary, RecordRest } from './summary.ts';
import type { XidRanges } from './xid-ranges.ts';

/** A summary as what is noted beside a segment: positions and times as decimal text, pieces of records in base64. */
export function sidecarOf(major: number, summary: LogSummary): Fields {
  return { version: 1, major, ...asFields(summary) };
}

/** Only what JSON can't hold is written otherwise; what is undefined is left out. */
function asFields(value: object): Fields {
  const entries = Object.entries(value).map(([name, one]): readonly [string, unknown] => [name, asJson(one)]);
  return Object.fromEntries(entries.filter(([, one]) => one !== undefined));
}

function asJson(value: unknown): unknown {
  if (typeof value === 'bigint') return String(value);
  if (value instanceof Uint8Array) return Buffer.from(value).toString('base64');
  if (Array.isArray(value)) return value.map(asJson);
  return typeof value === 'object' && value !== null ? asFields(value) : value;
}

export interface Sidecar {
  readonly major: number;
  readonly summary: LogSummary;
}

/** 'damaged' where it is none, 'unsupported' where a later version wrote it. */
export function readSidecar(fields: Fields, what: string): Sidecar {
  if (fields['version'] !== 1) throw new HoldfastError('unsupported', `${what} is of a later version`);
  const optional = <T>(name: string, read: (value: unknown, what: string) => T): T | undefined =>
    fields[name] === undefined ? undefined : read(fields[name], `${what}: ${name}`);
  const summary: LogSummary = {
    start: bigOf(fields['start'], what),
    endLsn: bigOf(fields['endLsn'], what),
    how: oneOf(['full', 'switched', 'ended', 'broken'], fields['how'], what),
    endings: optional('endings', readEndings),
    events: listOf(fields['events'], what).map((event) => readEvent(fieldsOf(event, what), what)),
    eventsLeftOut: numberOf(fields['eventsLeftOut'], what),
    head: optional('head', readHead),
    tail: optional('tail', readTail),
    firstPrevious: optional('firstPrevious', bigOf),
    lastLsn: optional('lastLsn', bigOf),
  };
  return { major: numberOf(fields['major'], what), summary };
}

function readEndings(value: unknown, what: string): Endings {
  const fields = fieldsOf(value, what);
  const { lastCommit } = fields;
  return {
    count: numberOf(fields['count'], what),
    first: readEnding(fields['first'], what),
    last: readEnding(fields['last'], what),
    earliestNs: bigOf(fields['earliestNs'], what),
    latestNs: bigOf(fields['latestNs'], what),
    lastCommit: lastCommit === undefined ? undefined : readEnding(lastCommit, what),
    committed: readRanges(fields['committed'], what),
  };
}

function readEnding(value: unknown, what: string): Ending {
  const fields = fieldsOf(value, what);
  return {
    kind: oneOf(['commit', 'abort'], fields['kind'], what),
    xid: numberOf(fields['xid'], what),
    timeNs: bigOf(fields['timeNs'], what),
    ...readPlace(fields, what),
  };
}

function readRanges(value: unknown, what: string): XidRanges {
  const fields = fieldsOf(value, what);
  const ranges = listOf(fields['ranges'], what).map((range): readonly [number, number] => {
    const [from, to] = listOf(range, what);
    return [numberOf(from, what), numberOf(to, what)];
  });
  return { ranges, precision: oneOf(['exact', 'coarse'], fields['precision'], what) };
}

function readHead(value: unknown, what: string): RecordRest {
  const fields = fieldsOf(value, what);
  const restBytes = numberOf(fields['restBytes'], what);
  return { restBytes, bytes: bytesOf(fields['bytes'], what), endLsn: bigOf(fields['endLsn'], what) };
}

function readTail(value: unknown, what: string): CutRecord {
  const fields = fieldsOf(value, what);
  return {
    lsn: bigOf(fields['lsn'], what),
    totalBytes: numberOf(fields['totalBytes'], what),
    heldBytes: numberOf(fields['heldBytes'], what),
    bytes: bytesOf(fields['bytes'], what),
  };
}
