import { HoldfastError } from '../../errors/error.ts';
import { judgeRecords, type JudgedChain, type RecordsVerdict } from '../../job/judge-records.ts';
import { readRecords } from '../../job/records.ts';
import { attestationOf, isExpired, type Attestation } from '../../record/attestation.ts';
import { recordKinds, type Actor, type RecordKind, type StoredRecord } from '../../record/record.ts';
import { nearest } from '../../bytes/nearest.ts';
import type { Run } from '../command.ts';
import type { recordsOptions } from '../commands/records.ts';
import { componentContext } from '../components/context.ts';
import type { Console } from '../console.ts';
import type { Context } from '../context.ts';
import { formatTime, jsonTime, plural, quoteForTerminal } from '../format.ts';
import { policyOf } from '../policy-file.ts';
import { tableLines } from '../table.ts';

/** Exit codes 4 and 5 only with --verify; 3: some repository could not be asked. */
export const run: Run<typeof recordsOptions> = async ({ values }, context) => {
  const { policy } = await policyOf(context);
  const { console, listener } = context;
  const components = values.component;
  await using base = await componentContext(context, policy, { mode: 'execute', listener });
  if (values.verify) return showVerdicts(await judgeRecords(base, { components }), console);
  const outcome = await readRecords(base, {
    components,
    kinds: values.kind.map(kindOf),
    ...(values.since === undefined ? {} : { sinceNs: values.since }),
  });
  show(outcome.records, values.csv ? 'csv' : console.form, context);
  return outcome.unknown === 0 ? 0 : 3;
};

function kindOf(text: string): RecordKind {
  const kind = recordKinds.find((one) => one === text);
  if (kind !== undefined) return kind;
  const guess = nearest(text, recordKinds);
  const hint = guess === undefined ? '' : `; did you mean ${guess}?`;
  throw new HoldfastError('usage', `--kind: ${JSON.stringify(text)} is none of ${recordKinds.join(', ')}${hint}`);
}

function show(records: readonly StoredRecord[], form: 'csv' | 'json' | 'text', { console, clock }: Context): void {
  const nowNs = clock.nowNs();
  if (form === 'json') for (const record of records) console.record(recordOf(record, nowNs));
  else if (form === 'csv') for (const line of csvLines(records)) console.say(line, 0);
  else for (const line of table(records, nowNs)) console.say(line, 0);
}

function recordOf({ timeNs, ...record }: StoredRecord, nowNs: bigint): unknown {
  const expires = expiryOf({ timeNs, ...record });
  const expired = expires === undefined ? {} : { expired: isExpired(expires, nowNs) };
  return { message_type: 'record', time: jsonTime(timeNs), ...record, ...expired };
}

/** Undefined of what never expires; who wrote a record may have written anything. */
function expiryOf(record: StoredRecord): Attestation | undefined {
  try {
    return attestationOf(record);
  } catch (error) {
    if (!(error instanceof HoldfastError)) throw error;
    return undefined;
  }
}

const columns = [
  'time',
  'component',
  'kind',
  'actor',
  'via',
  'ip',
  'repository',
  'writer',
  'sequence',
  'hash',
  'data',
] as const;

function* csvLines(records: readonly StoredRecord[]): Generator<string> {
  yield columns.join(',');
  for (const { timeNs, component, kind, actor, repository = '', writer, sequence, hash, data } of records) {
    const cells = [
      jsonTime(timeNs),
      component,
      kind,
      actor.id,
      actor.via,
      actor.ip ?? '',
      repository,
      writer,
      sequence,
      hash,
      JSON.stringify(data),
    ];
    yield cells.map(String).map(csvCell).join(',');
  }
}

/** RFC 4180; what a spreadsheet would take for a formula is kept a text. */
function csvCell(text: string): string {
  const safe = /^[=+\-@\t\r]/.test(text) ? `'${text}` : text;
  return /[",\n\r]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}

function table(records: readonly StoredRecord[], nowNs: bigint): readonly string[] {
  return tableLines({
    header: ['Time', 'Component', 'Kind', 'Who', 'Repository', 'What'],
    rows: records.map((record) => {
      const { timeNs, component, kind, actor, repository = '' } = record;
      return [formatTime(timeNs), component, kind, who(actor), repository, what(record, nowNs)].map(quoteForTerminal);
    }),
    footer: plural(records.length, 'record'),
  });
}

function who({ id, via, ip }: Actor): string {
  return `${id} (${via}${ip === undefined ? '' : ` from ${ip}`})`;
}

function what(record: StoredRecord, nowNs: bigint): string {
  const attestation = expiryOf(record);
  if (attestation === undefined) return brief(record.data);
  const { about, statement, expiresNs } = attestation;
  const until = isExpired(attestation, nowNs) ? 'EXPIRED' : 'holds until';
  return `${about} (${until} ${formatTime(expiresNs)}): ${statement}`;
}

function brief(data: Readonly<Record<string, unknown>>): string {
  const shown = Object.entries(data).map(
    ([key, value]) => `${key} ${typeof value === 'string' ? value : JSON.stringify(value)}`,
  );
  const text = shown.join(', ');
  return text.length <= 100 ? text : `${text.slice(0, 99)}…`;
}

function showVerdicts({ chains, unknown }: RecordsVerdict, console: Console): number {
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
