import type { Console } from './console.ts';

/** One thing that a repair does, for people and as a record. */
export interface Step {
  readonly line: string;
  readonly action: string;
  readonly about: Readonly<Record<string, unknown>>;
}

/** Shows a plan before it is carried out; a dry run ends with it. */
export function tellSteps(console: Console, steps: Iterable<Step>): void {
  for (const { line, action, about } of steps) {
    if (console.form === 'json') console.record({ message_type: 'step', action, ...about });
    else console.say(line);
  }
}

/** The last line, or the last record. */
export function tellEnd(console: Console, line: string, summary: Readonly<Record<string, unknown>>): void {
  if (console.form === 'json') console.record({ message_type: 'summary', ...summary });
  else console.say(line);
}

export const dryRunLine = 'nothing was changed: this was a dry run';
