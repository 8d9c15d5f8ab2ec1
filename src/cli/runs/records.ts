import { HoldfastError } from '../../errors/error.ts';
import { judgeRecords } from '../../job/judge-records.ts';
import { openRecords } from '../../job/records.ts';
import { attestationOf, isExpired } from '../../record/attestation.ts';
import { recordKinds, wholeRepository, type Actor, type RecordKind, type StoredRecord } from '../../record/record.ts';
import { nearest } from '../../bytes/nearest.ts';
import type { Policy } from '../../policy/policy.ts';
import type { Invocation, Run } from '../command.ts';
import type { recordsOptions } from '../commands/records.ts';
import { componentContext } from '../components/context.ts';
import type { Console } from '../console.ts';
import type { Context } from '../context.ts';
import { formatTime, jsonTime, plural, quoteForTerminal } from '../format.ts';
import { policyOf } from '../policy-file.ts';
import { showVerdicts } from '../chain-view.ts';
import { tableLines } from '../table.ts';
import { timeOf } from '../time-argument.ts';

type Values = Invocation<typeof recordsOptions>['values'];

/** Exit codes 4 and 5 only with --verify; 3: some repository could not be asked. */
export const run: Run<typeof recordsOptions> = async ({ values }, context) => {
  const { policy } = await policyOf(context);
  const { console, listener } = context;
  const components = values.component;
  await using base = await componentContext(context, policy, { mode: 'execute', listener });
  if (values.verify) {
    const verdict = await judgeRecords(base, { components });
    const seen = verdict.chains.map(({ component }) => component);
    if (verdict.unknown === 0) assertKnown(components, seen, policy);
    return showVerdicts(verdict, console);
  }
  const sinceNs = sinceOf(values, policy, context);
  using read = await openRecords(base, {
    components,
    kinds: values.kind.map(kindOf),
    ...(sinceNs === undefined ? {} : { sinceNs }),
  });
  if (read.missing === 0) assertKnown(components, read.components, policy);
  const nowNs = context.clock.nowNs();
  if (values.csv) await write(csvLines(read.records), console);
  else if (console.form === 'json') await write(jsonLines(read.records, nowNs), console);
  else for (const lines of pages(read.records, nowNs)) for (const line of lines) console.say(line, 0);
  return read.missing === 0 ? 0 : 3;
};

/** Without a zone of its own a time is one of the policy's; it is shown with its offset. */
function sinceOf({ since, csv }: Values, { timezone }: Policy, { clock, console }: Context): bigint | undefined {
  if (since === undefined) return undefined;
  const ns = timeOf(since, '--since', { zone: timezone, nowNs: clock.nowNs() });
  const text = new Temporal.Instant(ns).toString({ timeZone: timezone, smallestUnit: 'second' });
  if (!csv) console.say(`since ${text}`);
  return ns;
}

/** A component that the policy has no longer is known as long as something is recorded of it. */
function assertKnown(asked: readonly string[], seen: readonly string[], { components }: Policy): void {
  const known = [...new Set([...Object.keys(components), wholeRepository, ...seen])];
  const stranger = asked.find((name) => !known.includes(name));
  if (stranger === undefined) return;
  const guess = nearest(stranger, known);
  const hint = guess === undefined ? `there are ${known.join(', ')}` : `did you mean ${guess}?`;
  throw new HoldfastError('usage', `--component: nothing is recorded of ${JSON.stringify(stranger)}; ${hint}`);
}

function kindOf(text: string): RecordKind {
  const kind = recordKinds.find((one) => one === text);
  if (kind !== undefined) return kind;
  const guess = nearest(text, recordKinds);
  const hint = guess === undefined ? '' : `; did you mean ${guess}?`;
  throw new HoldfastError('usage', `--kind: ${JSON.stringify(text)} is none of ${recordKinds.join(', ')}${hint}`);
}

const linesInPiece = 200;

/** Piece by piece, as fast as whoever reads it takes it. */
async function write(lines: Iterable<string>, console: Console): Promise<void> {
  const piece: string[] = [];
  const hand = async (): Promise<void> => await console.raw(Buffer.from(piece.splice(0).join('')));
  for (const line of lines) {
    piece.push(`${line}\n`);
    if (piece.length === linesInPiece) await hand();
  }
  if (piece.length > 0) await hand();
}

function* jsonLines(records: Iterable<StoredRecord>, nowNs: bigint): Generator<string> {
  // Without toJson's care for bigints, which takes as long as all else: what was JSON has none.
  for (const record of records) yield JSON.stringify(recordOf(record, nowNs));
}

function recordOf({ timeNs, ...record }: StoredRecord, nowNs: bigint): unknown {
  const expires = attestationOf({ timeNs, ...record });
  const expired = expires === undefined ? {} : { expired: isExpired(expires, nowNs) };
  return { message_type: 'record', time: jsonTime(timeNs), ...record, ...expired };
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

function* csvLines(records: Iterable<StoredRecord>): Generator<string> {
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

const rowsOnPage = 1000;

/** A table of each thousand; how many there are stands at the end. */
function* pages(records: Iterable<StoredRecord>, nowNs: bigint): Generator<readonly string[]> {
  const header = ['Time', 'Component', 'Kind', 'Who', 'Repository', 'What'];
  const rows: string[][] = [];
  let count = 0;
  for (const record of records) {
    if (rows.length === rowsOnPage) yield tableLines({ header, rows: rows.splice(0) });
    const { timeNs, component, kind, actor, repository = '' } = record;
    const cells = [formatTime(timeNs), component, kind, who(actor), repository, what(record, nowNs)];
    rows.push(cells.map(quoteForTerminal));
    count += 1;
  }
  yield tableLines({ header, rows, footer: plural(count, 'record') });
}

function who({ id, via, ip }: Actor): string {
  return `${id} (${via}${ip === undefined ? '' : ` from ${ip}`})`;
}

function what(record: StoredRecord, nowNs: bigint): string {
  const attestation = attestationOf(record);
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
