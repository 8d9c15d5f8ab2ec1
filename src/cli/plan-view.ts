import type { StoredPlan } from '../plan/disk-journal.ts';
import type { Entry } from '../plan/journal.ts';
import type { Plan } from '../plan/plan.ts';
import type { Standing } from '../plan/standing.ts';
import { goesOver } from '../recovery/in-place-over.ts';
import { plansIn } from '../recovery/kept-below.ts';
import type { Context } from './context.ts';
import { formatSeconds, jsonTime, quoteForTerminal } from './format.ts';
import { stateFolder } from './state-folder.ts';
import { stepWords } from './step-words.ts';

export function plansFolder(context: Context): string {
  return plansIn(stateFolder(context));
}

/** The plan as it would run: what it does, in its order; with -v by which arguments, which its hash covers. */
export function showPlan(
  { plan, hash, standing }: Pick<StoredPlan, 'plan' | 'hash' | 'standing'>,
  { console }: Context,
): void {
  if (console.form === 'json') {
    const steps = Object.fromEntries(standing.steps);
    console.record({ message_type: 'plan', hash, phase: standing.phase, reason: standing.reason, plan, steps });
    return;
  }
  console.say(quoteForTerminal(`plan ${hash.slice(0, 12)}: ${plan.title}`), 0);
  for (const [index, one] of plan.steps.entries()) {
    const { state = 'waiting', ms } = standing.steps.get(one.key) ?? {};
    const took = ms === undefined ? '' : `, ${formatSeconds(ms / 1000)}`;
    const doing = quoteForTerminal(`${one.key}: ${stepWords(one)}`);
    console.say(`  ${index + 1}. ${doing} (${state}${took})`, 0);
    console.say(`     ${quoteForTerminal(`${one.kind} ${JSON.stringify(one.arguments)}`)}`, 2);
  }
  if (standing.phase !== 'forward')
    console.say(`it stands at: ${standing.phase} ${quoteForTerminal(standing.reason)}`, 0);
}

/** Tells each thing as it happens. */
export function showEntry({ console }: Context): (entry: Entry) => void {
  return ({ timeNs, ...entry }) => {
    const { what, step = '', ms, reason } = entry;
    if (console.form === 'json')
      return console.record({ message_type: 'plan_entry', time: jsonTime(timeNs), ...entry });
    const took = ms === undefined ? '' : ` (${formatSeconds(ms / 1000)})`;
    console.say(
      quoteForTerminal(`${step === '' ? 'plan' : step}: ${what}${took}${reason === undefined ? '' : `: ${reason}`}`),
    );
  };
}

const ends: Partial<Readonly<Record<Standing['phase'], (plan: Plan, hash: string) => string>>> = {
  'finished': (_plan, hash) =>
    `Done. What was replaced is kept: \`holdfast confirm ${hash}\` removes it, \`holdfast undo ${hash}\` brings it back.`,
  'undone': () => 'All is as it was before.',
  'given up': () =>
    'Given up. What was there is overwritten in part, and nothing starts it: restore it anew, to any moment.',
  'confirmed': (plan) =>
    goesOver(plan) ? 'Done. Nothing of what was there is kept.' : 'Confirmed: what was replaced is gone.',
};

export function showEnd(
  { plan, hash }: Pick<StoredPlan, 'plan' | 'hash'>,
  standing: Standing,
  { console }: Context,
): void {
  const { phase, reason } = standing;
  const short = hash.slice(0, 12);
  if (console.form === 'json') return console.record({ message_type: 'plan_end', hash, phase, reason });
  if (reason !== '') console.say(quoteForTerminal(`turned back: ${reason}`), 0);
  const line =
    ends[phase]?.(plan, short) ??
    `Not all could be undone: see \`holdfast plan show ${short}\`, then \`holdfast undo ${short}\`.`;
  console.say(line, 0);
}
