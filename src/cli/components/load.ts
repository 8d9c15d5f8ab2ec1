import { loadComponent, type ComponentLoadOutcome } from '../../job/component-load.ts';
import type { Console } from '../console.ts';
import type { Context } from '../context.ts';
import { formatBytes, formatSeconds, formatTime, plural, quoteForTerminal, shortPoint } from '../format.ts';
import { policyOf } from '../policy-file.ts';
import { showProgress } from '../progress.ts';
import { stateFolder } from '../state-folder.ts';
import { addressOf } from './address.ts';
import { componentsMeant, recordingContext } from './context.ts';
import { momentAt } from './moment.ts';

interface Meant {
  readonly name: string;
  readonly at: string | undefined;
  readonly into: string;
  readonly method: string | undefined;
  readonly database: string | undefined;
  readonly jobs: number | undefined;
  readonly noOwner: boolean;
  readonly noPrivileges: boolean;
  readonly switch: boolean;
  readonly dryRun: boolean;
}

/** `restore COMPONENT --into ADDRESS [--at TIME]`. */
export async function loadComponentInto(meant: Meant, context: Context): Promise<number> {
  const { policy } = await policyOf(context);
  const [component = meant.name] = componentsMeant(policy, [meant.name], false);
  const { console, clock } = context;
  const startedMs = clock.monotonicMs();
  const into = await addressOf(meant.into, context);
  const moment = momentAt(meant.at, policy, context);
  using view = showProgress(context);
  const mode = meant.dryRun ? 'dry-run' : 'execute';
  await using base = await recordingContext(context, policy, { mode, listener: view.listener });
  let shown = '';
  const outcome = await loadComponent(base, {
    component,
    ...(moment === undefined ? {} : { atNs: moment.ns }),
    method: meant.method ?? 'logical',
    wanted: {
      into,
      part: meant.database,
      jobs: meant.jobs ?? 4,
      owner: meant.noOwner ? 'whoever loads' : 'as it was',
      privileges: meant.noPrivileges ? 'none' : 'as they were',
      afterwards: meant.switch ? 'switch' : 'leave',
    },
    scratch: `${stateFolder(context)}/loads`,
    onCopy: ({ timeNs, identity }, { repository }) => {
      const line = `${component}: point ${shortPoint(identity)} of ${formatTime(timeNs)}, from ${repository}`;
      if (line !== shown) console.say(line);
      shown = line;
    },
  });
  view[Symbol.dispose]();
  const seconds = (clock.monotonicMs() - startedMs) / 1000;
  if (mode === 'dry-run') showPlanned(component, outcome, console);
  else show(component, outcome, seconds, context);
  return 0;
}

function show(
  component: string,
  { target, rows, notes, point, copy }: ComponentLoadOutcome,
  seconds: number,
  { console }: Context,
): void {
  if (console.form === 'json')
    console.record({
      message_type: 'loaded',
      component,
      point: point.identity,
      repository: copy.repository,
      target,
      rows,
      notes,
      seconds,
    });
  const tables = Object.entries(rows);
  const sum = tables.reduce((all, [, count]) => all + count, 0);
  const [ofTables, ofRows] = [plural(tables.length, 'table'), plural(sum, 'row')];
  console.say(`loaded ${ofTables} with ${ofRows} into ${target} in ${formatSeconds(seconds)}`);
  for (const [table, count] of tables) console.say(`  ${quoteForTerminal(table)}: ${plural(count, 'row')}`);
  for (const note of notes) console.say(note);
}

function showPlanned(component: string, { target, bytes, point, copy }: ComponentLoadOutcome, console: Console): void {
  if (console.form === 'json') {
    const from = { component, point: point.identity, repository: copy.repository };
    console.record({ message_type: 'would_load', ...from, target, bytes });
  }
  console.say(`would load ${formatBytes(bytes)} into ${target}; nothing was changed`);
}
