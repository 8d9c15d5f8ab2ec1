import type { JudgedChain, RecordsVerdict } from '../job/judge-records.ts';
import type { OverdueVerification } from '../job/overdue.ts';
import type { Console } from './console.ts';
import { formatTime, jsonTime, plural, quoteForTerminal } from './format.ts';

/** What is known of each chain, and which verifications are missed; the exit code. */
export function showVerdicts({ chains, unknown, overdue }: RecordsVerdict, console: Console): number {
  for (const { component, writer, repository, right, verdict } of chains) {
    const record = { message_type: 'chain', component, writer, repository, right, ...verdict };
    if (console.form === 'json') console.record(record);
    else console.say(line({ component, writer, repository, right, verdict }), 0);
  }
  for (const one of overdue) {
    if (console.form === 'json') console.record(overdueRecord(one));
    else console.say(overdueLine(one), 0);
  }
  const states = new Set(chains.map(({ verdict }) => verdict.state));
  if (states.has('broken')) return 4;
  // Where all could be asked, what nobody recorded is missed.
  if (overdue.length > 0 && unknown === 0) return 4;
  return states.has('unknown') || unknown > 0 || chains.length === 0 ? 5 : 0;
}

function line({ component, writer, repository, right, verdict }: JudgedChain): string {
  const chain = quoteForTerminal(`${component} by ${writer} in ${repository}: ${plural(right, 'record')}`);
  if (verdict.state === 'intact') return `✔ ${chain}, intact`;
  const reason = quoteForTerminal(verdict.reason);
  if (verdict.state === 'unknown') return `? ${chain}, can’t tell: ${reason}`;
  return `✖ ${chain}, then BROKEN at ${quoteForTerminal(verdict.name)}: ${reason}`;
}

function overdueRecord({ component, number, level, from, dueMs, toleranceMs, lastMs }: OverdueVerification): unknown {
  const tolerance = { tolerance_seconds: toleranceMs / 1000 };
  const last = lastMs === undefined ? {} : { last: jsonTime(nsOf(lastMs)) };
  return { message_type: 'overdue', component, number, level, from, due: jsonTime(nsOf(dueMs)), ...tolerance, ...last };
}

function overdueLine({ component, number, level, from, dueMs, toleranceMs, lastMs }: OverdueVerification): string {
  const last = lastMs === undefined ? 'it never ran' : `the last ran ${formatTime(nsOf(lastMs))}`;
  const due = `was due ${formatTime(nsOf(dueMs))} (or ${plural(toleranceMs / 3_600_000, 'hour')} later)`;
  return `✖ ${component}: verification ${number} (${level}, ${from}) ${due}, and is MISSED: ${last}`;
}

function nsOf(ms: number): bigint {
  return BigInt(Math.round(ms)) * 1_000_000n;
}
