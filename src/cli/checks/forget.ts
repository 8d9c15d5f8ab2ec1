import { HoldfastError } from '../../errors/error.ts';
import { parseDuration, type Duration } from '../../retention/duration.ts';
import { parseGroupBy } from '../../retention/group.ts';
import { isEmptyPolicy, periods, type KeepCount, type KeepPolicy, type Period } from '../../retention/keep.ts';
import { parseTagList } from '../../retention/tags.ts';
import type { forgetOptions } from '../commands/forget.ts';
import type { Context } from '../context.ts';
import type { Values as ValuesOf } from '../option.ts';
import { checkPruning } from './prune.ts';

type Values = ValuesOf<typeof forgetOptions>;

export function checkForget(values: Values, context: Pick<Context, 'globals'>): void {
  const { globals } = context;
  if (globals.noLock && !values.dryRun) throw new HoldfastError('usage', 'forget: --no-lock goes with --dry-run only');
  checkRemoveAll(values, keepPolicyOf(values));
  if (values.groupBy !== undefined) parseGroupBy(values.groupBy);
  checkPruning(values, context);
}

/** An empty policy removes everything that the filter lets through: never without one. */
function checkRemoveAll({ unsafeAllowRemoveAll, host, tag, path }: Values, policy: KeepPolicy): void {
  if (!unsafeAllowRemoveAll || !isEmptyPolicy(policy) || host.length + tag.length + path.length > 0) return;
  throw new HoldfastError('usage', '--unsafe-allow-remove-all needs --host, --tag or --path beside it');
}

/** What the flags keep. */
export function keepPolicyOf(values: Values): KeepPolicy {
  const { keepLast, keepHourly, keepDaily, keepWeekly, keepMonthly, keepQuarterly, keepYearly } = values;
  const counts = given<KeepCount>({
    last: keepLast,
    hourly: keepHourly,
    daily: keepDaily,
    weekly: keepWeekly,
    monthly: keepMonthly,
    quarterly: keepQuarterly,
    yearly: keepYearly,
  });
  const texts: Readonly<Record<Period, string | undefined>> = {
    hourly: values.keepWithinHourly,
    daily: values.keepWithinDaily,
    weekly: values.keepWithinWeekly,
    monthly: values.keepWithinMonthly,
    quarterly: values.keepWithinQuarterly,
    yearly: values.keepWithinYearly,
  };
  const withinEach = Object.fromEntries(periods.map((period) => [period, durationOf(texts[period])]));
  return {
    counts,
    within: durationOf(values.keepWithin),
    withinEach: given<Duration>(withinEach),
    tags: values.keepTag.map(parseTagList),
  };
}

function durationOf(text: string | undefined): Duration | undefined {
  return text === undefined ? undefined : parseDuration(text);
}

function given<T>(values: Readonly<Record<string, T | undefined>>): Readonly<Record<string, T>> {
  return Object.fromEntries(
    Object.entries(values).flatMap(([name, value]) => (value === undefined ? [] : [[name, value]])),
  );
}
