import type { Note } from '../../events/events.ts';
import { check, type CheckOutcome } from '../../job/check.ts';
import { parseSubset, type Subset } from '../../repository/check.ts';
import { jobContext } from '../access.ts';
import { cacheFolder } from '../cache.ts';
import type { Invocation, Run } from '../command.ts';
import type { checkOptions } from '../commands/check.ts';
import type { Console } from '../console.ts';
import type { Context } from '../context.ts';
import { jsonTime, plural, quoteForTerminal } from '../format.ts';
import { showProgress } from '../progress.ts';
import { filterOf } from '../selection.ts';

/** Findings that are errors: exit code 1, as restic's. */
export const run: Run<typeof checkOptions> = async ({ values }, context) => {
  const data = subsetOf(values);
  using view = showProgress(context, { onNote: (note) => tell(context, note) });
  const wishes = { ...(data === undefined ? {} : { data }), ...(values.locks ? { locks: 'read' as const } : {}) };
  const options = { filter: filterOf(values), random: Math.random, lockMemory: cacheFolder(context), ...wishes };
  const outcome = await check(jobContext(context, view.listener), options);
  view[Symbol.dispose]();
  if (context.console.form === 'json') context.console.record(summary(outcome));
  else report(outcome, data, context);
  return outcome.errors === 0 ? 0 : 1;
};

function subsetOf({ readData, readDataSubset }: Invocation<typeof checkOptions>['values']): Subset | undefined {
  if (readData) return { kind: 'all' };
  return readDataSubset === undefined ? undefined : parseSubset(readDataSubset);
}

function tell({ console }: Context, { name, data }: Note): void {
  if (name !== 'finding') return;
  const { severity, code, message } = data;
  if (severity === 'error') {
    console.complain(`error: ${String(message)}`, { message_type: 'error', message, code });
  } else console.say(`hint: ${String(message)}`);
}

function summary(outcome: CheckOutcome): unknown {
  const { errors, hints, brokenPacks, suggestRepairIndex, suggestPrune, snapshots } = outcome;
  const { affected, affectedCount, moreAffected } = outcome;
  return {
    message_type: 'summary',
    num_errors: errors,
    broken_packs: brokenPacks.length === 0 ? null : brokenPacks,
    suggest_repair_index: suggestRepairIndex,
    suggest_prune: suggestPrune,
    num_hints: hints,
    snapshots,
    affected,
    num_affected: affectedCount,
    more_affected: moreAffected,
    ...(outcome.lockedUntilNs === undefined ? {} : { immutable_until: jsonTime(outcome.lockedUntilNs) }),
  };
}

/** So many lines name what is lost; the rest is counted. */
const mostLines = 50;

function report(outcome: CheckOutcome, data: Subset | undefined, { console }: Context): void {
  const { errors, hints, snapshots, suggestRepairIndex, suggestPrune } = outcome;
  reportLost(outcome, console);
  if (suggestRepairIndex) console.say('`holdfast repair index` repairs the index');
  if (suggestPrune) console.say('`holdfast prune` tidies up');
  console.say(`checked: index, packs, and the trees of ${plural(snapshots, 'snapshot')}${dataWords(data)}`);
  if (outcome.lockedUntilNs !== undefined)
    console.say(`immutable until ${jsonTime(outcome.lockedUntilNs)}, read just now`);
  console.say('can’t be known: whether somebody removed a snapshot, for the repository keeps no list of them', 2);
  console.say(
    errors === 0
      ? `no errors were found${hints > 0 ? `, ${plural(hints, 'hint')}` : ''}`
      : `${plural(errors, 'error')} found`,
    0,
  );
}

function reportLost({ affected, affectedCount, moreAffected }: CheckOutcome, console: Console): void {
  if (affectedCount === 0) return;
  console.say(`lost, or not whole, in ${plural(new Set(affected.map(({ snapshot }) => snapshot)).size, 'snapshot')}:`);
  for (const { snapshot, path } of affected.slice(0, mostLines))
    console.say(`  ${snapshot.slice(0, 8)} ${quoteForTerminal(path)}`);
  const rest = `${moreAffected ? 'at least ' : ''}${affectedCount - mostLines} more`;
  if (affectedCount > mostLines) console.say(`  and ${rest} (--json names a thousand)`);
}

function dataWords(data: Subset | undefined): string {
  if (data === undefined) return '; NOT RUN: reading the data (--read-data)';
  return data.kind === 'all' ? ', and every byte of data' : ', and a part of the data';
}
