import { toBeDone } from '../errors/error.ts';
import type { Failure } from '../job/failures.ts';
import type { LeftSince, LogReach } from '../job/living-reach.ts';
import type { ComponentStatus } from '../job/status.ts';
import type { Judged, State } from '../objective/objective.ts';
import { forecastText } from '../objective/forecast.ts';
import { roughText } from '../policy/span.ts';
import type { Proof } from '../point/point.ts';
import { expectedRecord } from './expected-view.ts';
import { formatTime, jsonTime, plural, quoteForTerminal } from './format.ts';
import { levelWords } from './level-words.ts';
import { tableLines } from './table.ts';

const marks: Readonly<Record<State, string>> = { 'met': '✔', 'at risk': '!', 'broken': '✖', 'unknown': '?' };
const worstFirst = ['broken', 'unknown', 'at risk', 'met'] as const;

/** What is wrong comes first: of all, a line for each state; of each component, what it can come back to. */
export function statusLines(all: readonly ComponentStatus[], nowNs: bigint): readonly string[] {
  const summary = worstFirst.flatMap((state) => {
    const names = all.filter((one) => one.state === state).map(({ component }) => component);
    return names.length === 0
      ? []
      : [`${marks[state]} ${plural(names.length, 'component')} ${state}: ${names.join(', ')}`];
  });
  const [any] = all.filter(({ newest }) => newest?.copies.some(({ held }) => held === 'repository'));
  const way = `To bring one back: \`holdfast restore ${any?.component} --target DIR\`, or \`--in-place --dry-run\` for a plan.`;
  const ordered = all.toSorted((a, b) => worstFirst.indexOf(a.state) - worstFirst.indexOf(b.state));
  const lines = ordered.flatMap((one) => linesOf(one, nowNs));
  return [...(all.length > 1 ? [...summary, ''] : []), ...lines, ...(any === undefined ? [] : [way])];
}

function linesOf(status: ComponentStatus, nowNs: bigint): readonly string[] {
  const { component, tier, state, objectives, newest, failures, due, log } = status;
  const age = newest === undefined ? '' : ` (${ageOf(newest.timeNs, nowNs)} old)`;
  const point = newest === undefined ? 'no recoverable point' : `newest point ${formatTime(newest.timeNs)}${age}`;
  return [
    `${marks[state]} ${component}${tier === undefined ? '' : ` (${tier})`}: ${state.toUpperCase()}, ${point}`,
    ...(objectives.length === 0 ? ['  no objectives: it has no tier'] : objectiveTable(objectives)),
    ...copyTable(status, nowNs),
    ...(log === undefined ? [] : logLines(log, nowNs)),
    ...(due === undefined ? [] : [`  ! a base backup is DUE: ${quoteForTerminal(due)}`]),
    ...failures.counted.map((one) => failureLine(one, '!')),
    ...failures.past.map(
      (one) => `${failureLine(one, '·')} (not counted: the policy has no such rule or place any more)`,
    ),
    ...adviceOn(status).map((line) => `  → ${line}`),
    '',
  ];
}

const idleNs = 120_000_000_000n;

/** What an idle server wrote last is old, and nothing is lost all the same. */
function logLines({ storedNs, seenNs, heartbeatNs, left }: LogReach, nowNs: bigint): readonly string[] {
  const isIdle = seenNs !== undefined && (storedNs === undefined || seenNs > storedNs + idleNs);
  const since = storedNs === undefined ? '' : ` since ${formatTime(storedNs)}`;
  const beat = (timeNs: bigint): string =>
    `  · its newest heartbeat that can be brought back was written ${ageOf(timeNs, nowNs)} ago`;
  return [
    ...(isIdle ? [`  · its server is idle${since}: nothing was unarchived ${ageOf(seenNs, nowNs)} ago`] : []),
    ...(heartbeatNs === undefined ? [] : [beat(heartbeatNs)]),
    ...left.map((one) => leftLine(one, storedNs)),
  ];
}

/** What still comes of a timeline that was left looks as if all were well. */
function leftLine({ epoch, living, storedNs }: LeftSince, livingNs: bigint | undefined): string {
  const since =
    livingNs === undefined ? 'nothing of it can be brought back' : `it sent nothing since ${formatTime(livingNs)}`;
  return `  ! timeline ${living} goes on, and ${since}; timeline ${epoch}, which was left, got its last ${formatTime(storedNs)}`;
}

const mostOfAMessage = 200;

/** `records` has all of a long message. */
function failureLine({ what, outcome, timeNs, message }: Failure, mark: string): string {
  const said = message.length > mostOfAMessage ? `${message.slice(0, mostOfAMessage)}…` : message;
  return `  ${mark} ${what} ${outcome.toUpperCase()} ${formatTime(timeNs)}: ${quoteForTerminal(said)}`;
}

function ageOf(timeNs: bigint, nowNs: bigint): string {
  return roughText(Number((nowNs - timeNs) / 1_000_000n));
}

function objectiveTable(objectives: readonly Judged[]): readonly string[] {
  const rows = objectives.map((one) => {
    const state = one.state === 'met' ? 'met' : one.state.toUpperCase();
    return [`${marks[one.state]} ${one.objective}`, `${bounds[one.objective]} ${one.wanted}`, state, one.reached];
  });
  return indented(tableLines({ header: ['objective', 'wanted', '', 'reached'], rows }));
}

const bounds: Readonly<Record<Judged['objective'], string>> = {
  'rpo': 'at most',
  'rto': 'within',
  'copies': 'at least',
  'media': 'at least',
  'offsite': 'at least',
  'immutable': 'at least',
  'proof': 'every',
  'proof-each': 'every',
};

/** From where it can come back, how sure that is, and how long it would take. */
function copyTable({ newest, expected }: ComponentStatus, nowNs: bigint): readonly string[] {
  if (newest === undefined) return [];
  const rows = expected.map(({ repository, forecast }) => {
    const copy = newest.copies.find((one) => one.repository === repository);
    const time = copy?.held === 'external' ? 'its own tools bring it back' : forecastText(forecast);
    return [repository, proofText(copy?.proof ?? { state: 'stored' }, nowNs), time];
  });
  return ['', ...indented(tableLines({ header: ['back from', 'proof', 'would take'], rows }))];
}

function indented(lines: readonly string[]): readonly string[] {
  return lines.map((line) => `  ${line}`);
}

function proofText(proof: Proof, nowNs: bigint): string {
  if (proof.state === 'stored') return 'stored, not looked at';
  return `${proof.state === 'failed' ? 'FAILED' : levelWords[proof.level]} ${ageOf(proof.timeNs, nowNs)} ago`;
}

/** What is most likely to help, for each thing that is wrong. What nobody knows is asked before anything is done about it. */
function adviceOn({ component, objectives, newest, due, unknown }: ComponentStatus): readonly string[] {
  const isKnown = (state: State): boolean => state !== 'unknown' || unknown.length === 0;
  const isWrong = (...wanted: readonly Judged['objective'][]): boolean =>
    objectives.some(({ objective, state }) => isKnown(state) && state !== 'met' && wanted.includes(objective));
  const bad = newest?.copies.filter(({ proof }) => proof.state === 'failed') ?? [];
  return [
    ...unknown.map(({ repository, error }) => {
      const next = toBeDone(error);
      const why = quoteForTerminal(error.message);
      return `${repository} can’t be asked, what it holds is not known (${why})${next === '' ? '' : `: ${next}`}`;
    }),
    ...bad.map(({ repository }) => `don’t count on the copy in ${repository}: a restore takes it last`),
    ...((newest === undefined && unknown.length === 0) || isWrong('rpo') || due !== undefined
      ? [`holdfast backup ${component}`]
      : []),
    ...(newest !== undefined && isWrong('copies', 'media', 'offsite') ? [`holdfast copy ${component}`] : []),
    ...(newest !== undefined && isWrong('proof', 'rto') ? [`holdfast verify ${component}`] : []),
    ...(newest !== undefined && isWrong('proof-each') ? [`holdfast verify ${component} --from each`] : []),
  ];
}

export function statusRecord(status: ComponentStatus): unknown {
  const { component, tier, state, objectives, newest, expected, failures, due, log, unknown } = status;
  return {
    message_type: 'status',
    component,
    tier,
    state,
    newest: newest && { time: jsonTime(newest.timeNs), point: newest.identity },
    objectives,
    expected: expected.map(expectedRecord),
    failures: failures.counted.map(failureRecord),
    base_backup_due: due,
    log: log && {
      stored: log.storedNs === undefined ? undefined : jsonTime(log.storedNs),
      seen: log.seenNs === undefined ? undefined : jsonTime(log.seenNs),
      heartbeat: log.heartbeatNs === undefined ? undefined : jsonTime(log.heartbeatNs),
      left: log.left.map((one) => ({ timeline: one.epoch, stored: jsonTime(one.storedNs), living: one.living })),
    },
    failures_not_counted: failures.past.map(failureRecord),
    unknown_repositories: unknown.map(({ repository }) => repository),
    unknown_because: unknown.map(({ repository, error }) => ({
      repository,
      error_code: error.code,
      message: error.message,
      next: toBeDone(error),
    })),
  };
}

function failureRecord({ timeNs, ...failure }: Failure): unknown {
  return { ...failure, time: jsonTime(timeNs) };
}
