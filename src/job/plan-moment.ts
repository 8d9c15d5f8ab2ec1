import { HoldfastError, hasCode } from '../errors/error.ts';
import {
  noBackup,
  planBy,
  planConsistent,
  planLatest,
  planTo,
  unreachable,
  type MomentAsked,
  type MomentPlan,
  type Reach,
  type Unreachable,
} from '../point/moment.ts';
import type { Listing } from '../log/log.ts';
import { isKnownBad } from '../point/point.ts';
import type { Survey } from '../source/recovery.ts';

/** No backup leads to a timeline, or to any: which there are is told. */
export function withoutBackup(
  epoch: number | undefined,
  { segments, pieces }: Pick<Listing, 'segments' | 'pieces'>,
): Unreachable {
  const all = new Set([...segments.map((one) => one.epoch), ...pieces.map(({ segment }) => segment.epoch)]);
  if (epoch === undefined || all.size === 0) return noBackup;
  const there = [...all].toSorted((a, b) => a - b).join(', ');
  return { ...noBackup, reason: `no backup leads to timeline ${epoch}; the log holds ${there}` };
}

/** Asks what the log tells of the moment, from where a replay of this reach begins. */
export type SurveyOf = (plan: MomentPlan) => Promise<Survey>;

export interface SurveyedPlan {
  readonly plan: MomentPlan;
  readonly survey: Survey;
}

/** As `planMoment`, by what a verification found wrong only where no other leads there, or not as far. */
export async function planSoundFirst(
  asked: MomentAsked,
  reaches: readonly Reach[],
  surveyOf: SurveyOf,
): Promise<SurveyedPlan | Unreachable> {
  const [newest] = reaches;
  const sound = reaches.filter(({ base }) => !isKnownBad(base));
  const leading = asked.moment.kind === 'latest' ? sound.filter(({ to }) => to === newest?.to) : sound;
  if (leading.length === 0 || sound.length === reaches.length) return await planMoment(asked, reaches, surveyOf);
  const found = await planMoment(asked, leading, surveyOf);
  return 'reason' in found ? await planMoment(asked, reaches, surveyOf) : found;
}

/** By which backup a moment is brought back, having asked the log whether it is there. */
async function planMoment(
  asked: MomentAsked,
  reaches: readonly Reach[],
  surveyOf: SurveyOf,
): Promise<SurveyedPlan | Unreachable> {
  const { moment } = asked;
  if (reaches.length === 0) return noBackup;
  if (moment.kind === 'time') return await planTime(moment.timeNs, reaches, surveyOf);
  if (moment.kind === 'transaction' || moment.kind === 'name') return await planFound(reaches, surveyOf);
  const plan =
    moment.kind === 'position'
      ? planTo(reaches, moment.at)
      : moment.kind === 'latest'
        ? planLatest(reaches)
        : planConsistent(reaches);
  if (plan.kind === 'unreachable') return plan;
  const survey = await surveyOf(plan);
  if (moment.kind !== 'position' || survey.stop !== undefined) return { plan, survey };
  return { ...unreachable(reaches, moment.at, 'the log ends before'), before: survey.last };
}

/**
 * The newest backup made before it, by the clock of who made it, behind whose end the log has something later. A log that
 * has nothing later may lack something, or nothing was done: nobody can tell which.
 */
async function planTime(
  timeNs: bigint,
  reaches: readonly Reach[],
  surveyOf: SurveyOf,
): Promise<SurveyedPlan | Unreachable> {
  for (const reach of reaches.filter(({ base }) => base.timeNs <= timeNs)) {
    const found = await usable(reach, surveyOf);
    if (found.kind === 'planned') {
      if (found.survey.last !== undefined || !(await isTooNew(reach, surveyOf))) return found;
      continue;
    }
    if (found.survey.stop !== undefined || found.survey.begins === 'after') continue;
    const behind = reaches.findLast(({ from }) => from > reach.to);
    const reason = behind === undefined ? 'nothing was done after it' : 'the log has a gap there';
    const after = behind && { at: behind.from, timeNs: behind.base.timeNs };
    const only = behind !== undefined && reach.parts.length === 0 && { only: 'snapshots' as const };
    return {
      ...only,
      kind: 'unreachable',
      reason,
      before: found.survey.last ?? { at: reach.from, timeNs: undefined },
      after,
    };
  }
  const oldest = reaches.at(-1);
  const after = oldest && { at: oldest.from, timeNs: oldest.base.timeNs };
  return { kind: 'unreachable', reason: 'no backup is as old', before: undefined, after, only: 'snapshots' };
}

/**
 * Where nothing was done between a backup and the first that is beyond the time, only the clock of who made the backup
 * says that it was made before that: something beyond the time that stands before the backup says otherwise.
 */
async function isTooNew({ before = [], ...reach }: Reach, surveyOf: SurveyOf): Promise<boolean> {
  if (before.length === 0) return false;
  try {
    return (await surveyOf({ ...planBy(reach, reach.to), parts: before })).begins === 'after';
  } catch (error) {
    if (hasCode(error, 'storage-not-found', 'damaged', 'unsupported')) return false; // nothing is replayed of it
    throw error;
  }
}

/** The newest backup behind which it is found. */
async function planFound(reaches: readonly Reach[], surveyOf: SurveyOf): Promise<SurveyedPlan | Unreachable> {
  for (const reach of reaches) {
    const found = await usable(reach, surveyOf);
    if (found.kind === 'planned') return found;
  }
  const [newest, oldest] = [reaches[0], reaches.at(-1)];
  const at = (position: bigint | undefined): Unreachable['before'] =>
    position === undefined ? undefined : { at: position, timeNs: undefined };
  const reason = 'the log of this timeline, as far as a backup leads into it, doesn’t have it';
  return { kind: 'unreachable', reason, before: at(newest?.to), after: at(oldest?.from) };
}

type Tried =
  | (SurveyedPlan & { readonly kind: 'planned' })
  | { readonly kind: 'too new or not there'; readonly survey: Survey };

async function usable(reach: Reach, surveyOf: SurveyOf): Promise<Tried> {
  const survey = await surveyOf(planBy(reach, reach.to));
  const { stop, begins } = survey;
  if (stop === undefined || begins === 'after' || stop.at < reach.from) return { kind: 'too new or not there', survey };
  return { kind: 'planned', plan: planBy(reach, stop.at), survey };
}

/** Nothing is touched where a replay would do what it must not. */
export function assertNoObstacle(component: string, { obstacles }: Survey): void {
  if (obstacles.length === 0) return;
  throw new HoldfastError(
    'unsupported',
    `${component}: on the way to that moment ${obstacles.slice(0, 5).join('; ')}`,
    {
      next: 'Take a moment before it, or one behind the next backup. Nothing was changed.',
    },
  );
}
