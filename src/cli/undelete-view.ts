import { requestsOf, type Hiding, type UndeletePlan } from '../repository/undelete.ts';
import type { Snapshot } from '../snapshot/snapshot.ts';
import type { Console } from './console.ts';
import { formatBytes, formatTime, jsonTime, plural, quoteForTerminal } from './format.ts';
import type { Step } from './repair-view.ts';

/** Steps of one kind: for people what they are together, and the first of them. */
interface Part {
  readonly title: string;
  readonly steps: readonly Step[];
}

/** Of packs, indexes and locks, without --verbose. Who may open a repository, and what it holds, is named whole. */
const namedAtMost = 10;

/** A plan, and the snapshots made since that stay. */
export function tellUndelete(plan: UndeletePlan, kept: readonly Snapshot[], console: Console): void {
  const parts = partsOf(plan, kept).filter(({ steps }) => steps.length > 0);
  if (console.form === 'json') {
    for (const { action, about } of parts.flatMap(({ steps }) => steps))
      console.record({ message_type: 'step', action, ...about });
    return;
  }
  for (const part of parts) tellPart(part, console);
  if (parts.length > 0) console.say(`${plural(requestsOf(plan), 'request')} to the storage`);
}

function tellPart({ title, steps }: Part, console: Console): void {
  console.say(title);
  const few = new Set(steps.filter(({ line }) => isOneOfMany(line)).slice(0, namedAtMost));
  const named = steps.filter((step) => console.verbosity > 1 || few.has(step) || !isOneOfMany(step.line));
  for (const { line } of named) console.say(`  ${line}`);
  if (named.length < steps.length) console.say(`  and ${steps.length - named.length} more`);
}

function isOneOfMany(line: string): boolean {
  return /^(?:data|holdfast|index|locks)\//.test(line);
}

function partsOf(plan: UndeletePlan, kept: readonly Snapshot[]): readonly Part[] {
  const { timeNs, uncover, store, hide, leftHidden, lost } = plan;
  const back = `bring back as of ${formatTime(timeNs)}:`;
  const markers = uncover.reduce((sum, one) => sum + one.markers.length, 0);
  return [
    {
      title: `${back} ${plural(uncover.length, 'object')} by removing ${plural(markers, 'marker')} above them`,
      steps: uncover.map((one) => {
        const about = { key: one.key, bytes: one.sizeBytes, markers: one.markers.length };
        return { action: 'uncover', line: one.key, about };
      }),
    },
    {
      title: `${back} ${plural(store.length, 'object')} by storing them again, ${formatBytes(bytesOf(store))}`,
      steps: store.map(({ key, sizeBytes }) => ({ action: 'store', line: key, about: { key, bytes: sizeBytes } })),
    },
    { title: `hide ${plural(hide.length, 'object')} that were not there`, steps: hide.map(hidingStep) },
    { title: `keep ${plural(kept.length, 'snapshot')} made since`, steps: kept.map(keepStep) },
    {
      title: `leave hidden ${plural(leftHidden.length, 'file')} made since: a later time brings them back`,
      steps: leftHidden.map((key) => ({ action: 'leave', line: key, about: { key } })),
    },
    {
      title: `${plural(lost.length, 'object')} lost`,
      steps: lost.map(({ key, problem: message }) => {
        return { action: 'lose', line: `${key}: ${message}`, about: { key, message } };
      }),
    },
  ];
}

const reasons: Readonly<Record<Hiding['why'], string>> = {
  foreign: 'not of this repository',
  removed: 'it was removed before then',
  unproven: 'a key added since: nobody can tell whose it is',
};

function hidingStep({ key, why }: Hiding): Step {
  return { action: 'hide', line: `${key}: ${reasons[why]}`, about: { key, reason: why } };
}

function keepStep({ id, timeNs, hostname, paths }: Snapshot): Step {
  const what = quoteForTerminal(`${hostname}: ${paths.join(', ')}`);
  const about = { snapshot_id: id, time: jsonTime(timeNs), hostname, paths };
  return { action: 'keep snapshot', line: `${id.slice(0, 8)} of ${formatTime(timeNs)}, ${what}`, about };
}

export function bytesOf(objects: readonly { readonly sizeBytes: number }[]): number {
  return objects.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
}
