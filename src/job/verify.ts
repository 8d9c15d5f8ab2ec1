import { rawPathOf } from '../bytes/ids.ts';
import { HoldfastError } from '../errors/error.ts';
import type { ExternalCopy, PointCopy, RecoverablePoint, StoredCopy } from '../point/point.ts';
import type { Verification } from '../policy/policy.ts';
import { isArchived } from '../policy/kinds-of-repositories.ts';
import type { Repository } from '../repository/repository.ts';
import type { Replay } from '../source/recovery.ts';
import type { Rehearsal } from '../source/rehearsal.ts';
import { contextIn, recorded, type ComponentContext, type NewRecord } from './component.ts';
import { inRepository, type JobContext } from './job.ts';
import { openExternal, openSource } from './open-source.ts';
import { listPoints } from './points.ts';
import { forecastOf, type Forecast, type Stages } from '../objective/forecast.ts';
import { measuredIn, nearestFirst, sizeOf } from './expected.ts';
import type { VerificationOutcome, CheckResult } from './verification.ts';
import { verdictOfChecks, verdictOfError, type Verdict } from './verify/judge.ts';
import { hiddenOf } from './verify/hidden.ts';
import { lookElsewhere } from './verify/elsewhere.ts';
import { lookAt, type Looked, type Surroundings } from './verify/levels.ts';

export interface VerifyOptions {
  readonly component: string;
  readonly verification: Verification;
  /** A folder of ours alone, below which copies are restored. */
  readonly scratch: string;
  /** What no command in a sandbox is to see, beside what the policy names. */
  readonly hidden: readonly string[];
  /** The nearest copy of this point alone, brought to a moment of its log in the sandbox. */
  readonly moment?: { readonly point: RecoverablePoint; readonly replay: Omit<Replay, 'folder'> };
  /** Told each copy's outcome as soon as it is known. */
  readonly onOutcome: (outcome: VerificationOutcome) => void;
  /** 0 up to 1. */
  readonly random: () => number;
}

/**
 * Verifies a component: the nearest copy of the newest point that is in no archive alone, the newest point in each
 * repository that its rules name, or that in one. Throws where there is no point to verify and, after all that could be
 * done, where each copy is meant and a repository can't be asked.
 */
export async function verifyComponent(
  context: ComponentContext,
  options: VerifyOptions,
): Promise<readonly VerificationOutcome[]> {
  const startedMs = context.clock.monotonicMs();
  const { copies, unasked, forecast } = await copiesMeant(context, options);
  const findSeconds = (context.clock.monotonicMs() - startedMs) / 1000;
  const outcomes: VerificationOutcome[] = [];
  for (const { point, copy } of copies) {
    const about = { kind: 'verification', component: options.component, repository: copy.repository } as const;
    const found = { point, findSeconds, forecast: forecast(copy) };
    const verify = async (): Promise<VerificationOutcome> =>
      copy.held === 'repository'
        ? await verifyCopy(context, options, { ...found, copy })
        : await verifyElsewhere(context, options, { ...found, copy });
    const toRecord = (outcome: VerificationOutcome): NewRecord['data'] => ({
      ...dataOf(outcome),
      ...momentOf(options),
    });
    const outcome = await recorded(context, about, verify, toRecord);
    options.onOutcome(outcome);
    outcomes.push(outcome);
  }
  // Where each copy is meant, one that nobody can see is not proven by the others.
  if (options.verification.from === 'each' && unasked.length > 0)
    throw new HoldfastError(
      'storage-missing',
      `${unasked.join(', ')} can’t be asked for copies of ${options.component}`,
    );
  return outcomes;
}

function dataOf({ state, level, point, copy, reason, checks, stages }: VerificationOutcome): NewRecord['data'] {
  return {
    outcome: state,
    level,
    point: point.identity,
    snapshot: copy.held === 'repository' ? copy.snapshot.id : undefined,
    reason: reason?.slice(0, 2000),
    checks: checks.slice(0, 100),
    stages,
    ...sizeOf(copy),
  };
}

/** What a replay takes says nothing of a restore without one. */
function momentOf({ moment }: VerifyOptions): NewRecord['data'] {
  return moment === undefined ? {} : { moment: moment.replay.moment.kind };
}

interface Meant {
  /** Nearest first. */
  readonly copies: readonly PlacedCopy[];
  /** Repositories whose points are not known. */
  readonly unasked: readonly string[];
  /** By what was measured before. */
  readonly forecast: (copy: PointCopy) => Forecast;
}

interface PlacedCopy<Copy extends PointCopy = PointCopy> {
  readonly point: RecoverablePoint;
  readonly copy: Copy;
}

async function copiesMeant(
  context: ComponentContext,
  { component, verification: { from: named }, moment }: VerifyOptions,
): Promise<Meant> {
  const from = moment === undefined ? named : 'nearest';
  const { points, unknown, records } = await listPoints(context, [component]);
  const unasked = unknown.map(({ repository }) => repository);
  const asked = points.filter(({ identity }) => moment === undefined || moment.point.identity === identity);
  const placed = asked.flatMap((point) => point.copies.map((copy) => ({ point, copy })));
  const meant = wanted(from === 'nearest' ? readable(placed, context) : placed, from);
  if (meant.length === 0) {
    const hidden = unasked.length === 0 ? '' : `; ${unasked.join(', ')} can’t be asked`;
    throw new HoldfastError('snapshot-not-found', `${component} has no recoverable point to verify${hidden}`);
  }
  const inOrder = nearestFirst(context.policy, { component, copies: meant.map(({ copy }) => copy) });
  const copies = inOrder.flatMap((copy) => meant.filter((one) => one.copy === copy));
  const measured = measuredIn(records, component);
  const forecast = (copy: PointCopy): Forecast => forecastOf(measured, copy.repository, sizeOf(copy));
  return { copies: from === 'nearest' ? copies.slice(0, 1) : copies, unasked, forecast };
}

/** What can be read as it is. A newer point that stands in an archive alone would have to be thawed, which takes hours. */
function readable(
  placed: readonly PlacedCopy[],
  { policy: { repositories } }: ComponentContext,
): readonly PlacedCopy[] {
  const readily = placed.filter(({ copy: { repository } }) => {
    const { [repository]: place } = repositories;
    return place === undefined || !isArchived(place);
  });
  return readily.length > 0 ? readily : placed;
}

/** Points come oldest first. A rule that runs often need not reach every place: each has a newest point of its own. */
function wanted(placed: readonly PlacedCopy[], from: string): readonly PlacedCopy[] {
  if (from === 'nearest') return placed.filter(({ point }) => point === placed.at(-1)?.point);
  const newest = new Map(placed.map((one) => [one.copy.repository, one]));
  return from === 'each' ? [...newest.values()] : [newest.get(from)].filter((one) => one !== undefined);
}

interface Found<Copy extends PointCopy> extends PlacedCopy<Copy> {
  readonly findSeconds: number;
  readonly forecast: Forecast;
}

/** Commands in a sandbox see neither what is live nor what opens the repositories. */
function surroundingsOf(
  context: ComponentContext,
  { component: name, hidden, moment }: VerifyOptions,
  { method }: RecoverablePoint,
): Surroundings {
  const { policy } = context;
  const component = policy.components[name];
  if (component === undefined) throw new HoldfastError('usage', `there is no component ${name}`);
  const { rehearsal, paths } = openSource(context, name, component, method === '' ? undefined : method);
  const rehearsed = rehearsal && moment ? toMoment(rehearsal, moment.replay) : rehearsal;
  return {
    rehearsal: rehearsed,
    limits: policy.sandbox,
    hidden: [...hidden, ...hiddenOf(policy, paths)],
    visible: policy.sandbox?.visible ?? [],
  };
}

function toMoment(rehearsal: Rehearsal, replay: Omit<Replay, 'folder'>): Rehearsal {
  return {
    ...rehearsal,
    bringUp: async (sandbox, restored, signal) => await rehearsal.bringUp(sandbox, restored, signal, replay),
  };
}

/** Never throws for what is wrong with the copy or its surroundings: that is the outcome. */
async function verifyCopy(
  context: ComponentContext,
  options: VerifyOptions,
  { point, copy, findSeconds, forecast }: Found<StoredCopy>,
): Promise<VerificationOutcome> {
  const { verification, scratch, random } = options;
  const begunMs = context.clock.monotonicMs();
  let openSeconds = 0;
  const looking = async (repository: Repository, signal: AbortSignal): Promise<Looked> => {
    openSeconds = (context.clock.monotonicMs() - begunMs) / 1000;
    const within: JobContext = { ...contextIn(context, copy.repository), signal };
    return await lookAt(repository, copy.snapshot, {
      verification,
      scratch: rawPathOf(scratch),
      random,
      context: within,
      surroundings: surroundingsOf(context, options, point),
    });
  };
  let [verdict, checks]: [Verdict, readonly CheckResult[]] = [{ state: 'could not verify' }, []];
  let stages: Stages = { find: findSeconds, fetch: 0, start: 0, check: 0 };
  try {
    const looked = await inRepository(contextIn(context, copy.repository), 'read', looking);
    checks = looked.checks;
    verdict = looked.verdict.state === 'verified' ? verdictOfChecks(checks) : looked.verdict;
    const { find = 0, ...rest } = looked.stages;
    stages = { ...stages, ...rest, find: findSeconds + openSeconds + find };
  } catch (error) {
    context.signal.throwIfAborted();
    if (!(error instanceof HoldfastError)) throw error;
    verdict = verdictOfError(error);
  }
  return { ...verdict, reason: verdict.reason, level: verification.do, point, copy, checks, stages, forecast };
}

async function verifyElsewhere(
  context: ComponentContext,
  { component: name, verification }: VerifyOptions,
  { point, copy, findSeconds, forecast }: Found<ExternalCopy>,
): Promise<VerificationOutcome> {
  const { [name]: component } = context.policy.components;
  if (component === undefined) throw new HoldfastError('usage', `there is no component ${name}`);
  const startedMs = context.clock.monotonicMs();
  const external = openExternal(context, name, component);
  const { verdict, checks } = await lookElsewhere(external, copy, verification, context);
  const stages = { find: findSeconds, fetch: 0, start: 0, check: (context.clock.monotonicMs() - startedMs) / 1000 };
  return { ...verdict, reason: verdict.reason, level: verification.do, point, copy, checks, stages, forecast };
}
