import type { RuleOf } from '../../job/component.ts';
import type { Carried, MadePoint } from '../../job/external.ts';
import type { ExternalPoint } from '../../point/point.ts';
import type { Context } from '../context.ts';
import { formatTime, jsonTime, plural, quoteForTerminal } from '../format.ts';

/** What became of points that a component's source holds in places of its own. */
interface Told {
  readonly outcome: Carried;
  readonly place: string;
  readonly word: 'copied' | 'removed';
  readonly mode: 'execute' | 'dry-run';
}

export function tellMade({ console }: Context, rule: RuleOf, { place, point }: MadePoint): void {
  if (point === undefined) return console.say(`would make a point in ${place}`);
  if (console.form === 'json') console.record(recordOf(rule, place, 'made', point));
  else console.say(lineOf(place, 'made', point));
}

/** Those that failed were told when they did. */
export function tellCarried(context: Context, rule: RuleOf, { outcome, place, word, mode }: Told): 'done' | 'in part' {
  const { console } = context;
  const action = mode === 'dry-run' ? `would be ${word}` : word;
  for (const point of outcome.done) {
    if (console.form === 'json') console.record(recordOf(rule, place, action, point));
    else console.say(lineOf(place, action, point));
  }
  const left = outcome.failed.length === 0 ? '' : `, ${outcome.failed.length} NOT ${word.toUpperCase()}`;
  console.say(`${plural(outcome.done.length, 'point')} ${action}${left}`);
  return outcome.failed.length === 0 ? 'done' : 'in part';
}

function lineOf(place: string, word: string, { identity, timeNs }: ExternalPoint): string {
  return `${place}: point ${quoteForTerminal(identity)} of ${formatTime(timeNs)} ${word}`;
}

function recordOf({ name, ruleName }: RuleOf, place: string, action: string, point: ExternalPoint): unknown {
  const { identity, timeNs, sizeBytes: size } = point;
  return {
    message_type: 'external_point',
    action,
    component: name,
    rule: ruleName,
    place,
    point: identity,
    time: jsonTime(timeNs),
    size,
  };
}
