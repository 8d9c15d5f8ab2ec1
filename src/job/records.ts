import type { RecordKind, StoredRecord } from '../record/record.ts';
import type { ComponentContext } from './component.ts';
import { judgeRecords } from './judge-records.ts';

export interface RecordsOptions {
  readonly components: readonly string[];
  readonly kinds: readonly RecordKind[];
  readonly sinceNs?: bigint;
}

export interface RecordsOutcome {
  /** Oldest first. Of a broken chain those before the first wrong one. */
  readonly records: readonly StoredRecord[];
  readonly unknown: number;
}

export async function readRecords(
  context: ComponentContext,
  { components, kinds, sinceNs = 0n }: RecordsOptions,
): Promise<RecordsOutcome> {
  const records: StoredRecord[] = [];
  const onRecord = (record: StoredRecord): void => {
    if ((kinds.length === 0 || kinds.includes(record.kind)) && record.timeNs >= sinceNs) records.push(record);
  };
  const { unknown } = await judgeRecords(context, { components, onRecord });
  return { records: records.toSorted((a, b) => (a.timeNs < b.timeNs ? -1 : a.timeNs > b.timeNs ? 1 : 0)), unknown };
}
