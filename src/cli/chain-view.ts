import type { JudgedChain, RecordsVerdict } from '../job/judge-records.ts';
import type { Console } from './console.ts';
import { plural, quoteForTerminal } from './format.ts';

/** What is known of each chain; the exit code. */
export function showVerdicts({ chains, unknown }: RecordsVerdict, console: Console): number {
  for (const { component, writer, repository, right, verdict } of chains) {
    const record = { message_type: 'chain', component, writer, repository, right, ...verdict };
    if (console.form === 'json') console.record(record);
    else console.say(line({ component, writer, repository, right, verdict }), 0);
  }
  const states = new Set(chains.map(({ verdict }) => verdict.state));
  if (states.has('broken')) return 4;
  return states.has('unknown') || unknown > 0 || chains.length === 0 ? 5 : 0;
}

function line({ component, writer, repository, right, verdict }: JudgedChain): string {
  const chain = quoteForTerminal(`${component} by ${writer} in ${repository}: ${plural(right, 'record')}`);
  if (verdict.state === 'intact') return `✔ ${chain}, intact`;
  if (verdict.state === 'unknown') return `? ${chain}, can’t tell: ${verdict.reason}`;
  return `✖ ${chain}, then BROKEN at ${quoteForTerminal(verdict.name)}: ${verdict.reason}`;
}
