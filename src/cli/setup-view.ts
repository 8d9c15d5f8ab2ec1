import type { SetupItem, SetupPlan } from '../source/setup.ts';
import type { Console } from './console.ts';

const marks = {
  'fine': '✔',
  'to apply': '+',
  'by hand': '! BY HAND',
  'advice': '- advice',
  'unknown': '? UNKNOWN',
} as const;

/** Everything that is not as it is wanted, in full; what is fine in a line. */
export function tellSetup({ server, items }: SetupPlan, console: Console): void {
  console.say(server);
  for (const item of items) for (const line of linesOf(item)) console.say(line, item.state === 'fine' ? 1 : 0);
}

function linesOf({ name, state, found, wanted, why, effect, lines }: SetupItem): readonly string[] {
  const change = wanted === undefined || state === 'fine' ? found : `${found} → ${wanted}`;
  const where = lines === undefined ? [] : [`    ${lines.where}:`, ...lines.text.map((line) => `      ${line}`)];
  return [
    `${marks[state]} ${name}: ${change}${effect === undefined || state === 'fine' ? '' : effects[effect]}`,
    ...(why === undefined || state === 'fine' ? [] : [`    ${why}`]),
    ...where,
  ];
}

const effects = {
  'at once': '',
  'reload': ' (counts after a reload)',
  'restart': ' (counts after a restart, which is yours)',
} as const;

/** docs/JSON.md */
export function recordSetup(component: string, { items }: SetupPlan, console: Console): void {
  for (const item of items) console.record({ message_type: 'setup_item', component, ...item });
}

export function countsOf(items: readonly SetupItem[]): Readonly<Record<'to_apply' | 'by_hand' | 'unknown', number>> {
  const count = (state: SetupItem['state']): number => items.filter((item) => item.state === state).length;
  return { to_apply: count('to apply'), by_hand: count('by hand'), unknown: count('unknown') };
}
