import { extractFromComponent, type ComponentExtractOutcome, type ExtractPlan } from '../../job/component-extract.ts';
import type { LoadedParts, PreparedParts, WantedPart } from '../../source/extraction.ts';
import { namesMoment, type MomentWords } from '../checks/moment-words.ts';
import type { Context } from '../context.ts';
import { showExpected } from '../expected-view.ts';
import { formatSeconds, formatTime, plural, quoteForTerminal, shortPoint } from '../format.ts';
import { policyOf } from '../policy-file.ts';
import { showProgress } from '../progress.ts';
import { stateFolder } from '../state-folder.ts';
import { componentsMeant, recordingContext } from './context.ts';
import { addressOf } from './address.ts';
import { momentAt } from './moment.ts';
import { askedBy } from './moment-words.ts';
import { showPlannedMoment } from './restore-moment.ts';

export interface ExtractWords extends MomentWords {
  readonly component: string;
  readonly into: string;
  readonly table: readonly string[];
  readonly schema: readonly string[];
  readonly as: string | undefined;
  readonly method: string | undefined;
  readonly database: string | undefined;
  readonly noOwner: boolean;
  readonly noPrivileges: boolean;
  readonly dryRun: boolean;
}

/**
 * `restore COMPONENT --table NAME|--schema NAME --into ADDRESS [--as NAME]`, of a moment or of the newest backup. Exit code
 * 1: there are not as many rows as there were; 3: something that belongs to it was left out.
 */
export async function extractInto(words: ExtractWords, context: Context): Promise<number> {
  const { policy } = await policyOf(context);
  const [component = words.component] = componentsMeant(policy, [words.component], false);
  const { console } = context;
  const into = await addressOf(words.into, context);
  const at = momentAt(words.at, policy, context);
  using view = showProgress(context);
  const mode = words.dryRun ? 'dry-run' : 'execute';
  await using base = await recordingContext(context, policy, { mode, listener: view.listener });
  const isOfLog = namesMoment(words) || (at !== undefined && policy.components[component]?.log !== undefined);
  const otherwise = words.at === undefined ? 'nothing' : 'a snapshot';
  let shown = '';
  const outcome = await extractFromComponent(base, {
    component,
    method: words.method,
    ...(at === undefined ? {} : { atNs: at.ns }),
    moment: isOfLog ? { ...askedBy(words, base, component, at?.ns), otherwise } : undefined,
    wanted: {
      into,
      database: words.database,
      parts: partsOf(words),
      owner: words.noOwner ? 'whoever loads' : 'as it was',
      privileges: words.noPrivileges ? 'none' : 'as they were',
    },
    scratch: `${stateFolder(context)}/sandboxes`,
    hidden: [stateFolder(context)],
    onPlan: (plan) => showPlan(plan, context),
    onCopy: ({ timeNs, identity }, { repository }) => {
      const line = `${component}: point ${shortPoint(identity)} of ${formatTime(timeNs)}, from ${repository}`;
      if (line !== shown) console.say(line);
      shown = line;
    },
    onPrepared: (prepared) => showPrepared(prepared, context),
  });
  view[Symbol.dispose]();
  return showOutcome(outcome, context);
}

function partsOf({ table, schema, as }: ExtractWords): readonly WantedPart[] {
  return [
    ...table.map((name) => ({ kind: 'table', name, as }) as const),
    ...schema.map((name) => ({ kind: 'schema', name, as }) as const),
  ];
}

function showPlan({ moment, expected, served }: ExtractPlan, context: Context): void {
  if (served === 'a snapshot')
    context.console.say('no log of then is kept: the newest backup before serves, up to its own end');
  if (moment === undefined) showExpected(expected, context);
  else showPlannedMoment(moment, context);
}

function showPrepared({ target, tables, notes, leftOut }: PreparedParts, { console }: Context): void {
  if (console.form === 'json')
    return console.record({ message_type: 'parts', target, tables, notes, left_out: leftOut });
  console.say(`to ${target}:`);
  for (const { name, as, rows } of tables) {
    const renamed = as === name ? '' : ` as ${as}`;
    console.say(`  ${quoteForTerminal(`${name}${renamed}: ${plural(rows, 'row')}`)}`);
  }
  for (const note of notes) console.say(`  ${quoteForTerminal(note)}`);
  for (const one of leftOut) console.say(`  left out: ${quoteForTerminal(one)}`);
}

function showOutcome({ prepared, loaded, seconds }: ComponentExtractOutcome, { console }: Context): number {
  if (loaded === undefined) {
    console.say('nothing was loaded');
    return 0;
  }
  if (console.form === 'json') {
    const leftOut = [...prepared.leftOut, ...loaded.leftOut];
    const { notes } = loaded;
    const tables = loaded.tables.map(({ loadedRows, ...table }) => ({ ...table, loaded_rows: loadedRows ?? null }));
    const { target } = prepared;
    console.record({ message_type: 'loaded', target, tables, notes, left_out: leftOut, seconds });
  }
  const wrong = loaded.tables.filter(({ rows, loadedRows }) => loadedRows !== undefined && rows !== loadedRows);
  for (const table of loaded.tables) console.say(`loaded ${quoteForTerminal(table.as)}: ${countText(table)}`);
  for (const note of loaded.notes) console.say(quoteForTerminal(note));
  for (const one of loaded.leftOut) console.say(`left out: ${quoteForTerminal(one)}`);
  const { fetch, start, load } = seconds;
  console.say(
    `${formatSeconds(fetch)} to fetch, ${formatSeconds(start)} to bring it up, ${formatSeconds(load)} to load`,
  );
  if (wrong.length > 0) return 1;
  return prepared.leftOut.length + loaded.leftOut.length > 0 ? 3 : 0;
}

function countText({ rows, loadedRows }: LoadedParts['tables'][number]): string {
  if (loadedRows === undefined) return `${plural(rows, 'row')} at the moment; the role of --into may not count them`;
  const then = rows === loadedRows ? 'as many as at the moment' : `at the moment there were ${rows}`;
  return `${plural(loadedRows, 'row')}, ${then}`;
}
