import { fieldsOf } from '../bytes/fields.ts';
import { hasCode } from '../errors/error.ts';
import { forecastOf, type Forecast, type Measurement, type RestoreSize } from '../objective/forecast.ts';
import type { ReplayMeasurement } from '../objective/replay-forecast.ts';
import { isBad, type PointCopy, type RecoverablePoint } from '../point/point.ts';
import { placeNamed, type Policy } from '../policy/policy.ts';
import type { StoredRecord } from '../record/record.ts';

/** What bringing a point back from one of its copies is expected to take. */
export interface ExpectedRestore {
  readonly repository: string;
  readonly forecast: Forecast;
}

/** Of each copy, in the order in which a restore takes them, by the records of its component, oldest first. */
export function expectedRestores(
  policy: Policy,
  point: RecoverablePoint,
  records: readonly StoredRecord[],
): readonly ExpectedRestore[] {
  const measured = measuredIn(records, point.component);
  return surestFirst(policy, point).map((copy) => ({
    repository: copy.repository,
    forecast: forecastOf(measured, copy.repository, sizeOf(copy)),
  }));
}

/** What verifications restored whole and found right. */
export function measuredIn(records: readonly StoredRecord[], component: string): readonly Measurement[] {
  return records.flatMap((record) => (record.component === component ? (measurementOf(record) ?? []) : []));
}

function measurementOf({ kind, repository, data }: StoredRecord): Measurement | undefined {
  const { outcome, level, bytes, files, moment } = data;
  if (
    moment !== undefined ||
    kind !== 'verification' ||
    outcome !== 'verified' ||
    level !== 'restore' ||
    repository === undefined
  )
    return undefined;
  const { find, fetch, start, check } = stagesIn(data['stages']);
  const numbers = [bytes, files, find, fetch, start, check];
  if (!numbers.every((one) => typeof one === 'number' && Number.isFinite(one) && one >= 0)) return undefined;
  const [of, took] = [
    { bytes: Number(bytes), files: Number(files) },
    { find: Number(find), fetch: Number(fetch) },
  ];
  return { repository, ...of, stages: { ...took, start: Number(start), check: Number(check) } };
}

/** What restores to a moment replayed, by the records of a component, oldest first. */
export function replaysIn(records: readonly StoredRecord[], component: string): readonly ReplayMeasurement[] {
  return records.flatMap((record) => {
    if (record.kind !== 'restore' || record.component !== component) return [];
    const { logBytes: bytes } = record.data;
    const { replay: seconds } = stagesIn(record.data['seconds']);
    return typeof bytes === 'number' && typeof seconds === 'number' ? [{ bytes, seconds }] : [];
  });
}

/** Of a record that says none: nothing. */
function stagesIn(value: unknown): Readonly<Record<string, unknown>> {
  try {
    return fieldsOf(value, 'stages');
  } catch (error) {
    if (!hasCode(error, 'damaged')) throw error;
    return {};
  }
}

/** As the backup counted it; the same for every copy of a point. What is held elsewhere doesn't say. */
export function sizeOf(copy: PointCopy): RestoreSize | undefined {
  const summary = copy.held === 'repository' ? copy.snapshot.summary : undefined;
  return summary && { bytes: summary.totalBytesProcessed, files: summary.totalFilesProcessed };
}

const distances = { disk: 0, removable: 1, object: 2, archive: 3 } as const;

type HeldPoint = Pick<RecoverablePoint, 'component' | 'copies'>;

/** In the order in which a restore takes them: the nearest first, those that were found bad last of all. */
export function surestFirst(policy: Policy, point: HeldPoint): readonly PointCopy[] {
  return nearestFirst(policy, point).toSorted((a, b) => Number(isBad(a)) - Number(isBad(b)));
}

export function nearestFirst(policy: Policy, { component: name, copies }: HeldPoint): readonly PointCopy[] {
  const { [name]: component } = policy.components;
  const distance = ({ repository }: PointCopy): number =>
    distances[(component && placeNamed(policy, component, repository)?.media) ?? 'archive'];
  return copies.toSorted((a, b) => distance(a) - distance(b));
}
