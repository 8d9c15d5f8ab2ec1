import type { Clock } from '../clock/clock.ts';
import type { RawPath } from '../bytes/ids.ts';
import type { Listener } from '../events/events.ts';
import { hasCode, HoldfastError } from '../errors/error.ts';
import type { RecordFacts } from '../record/record.ts';
import type { Component, Policy, Rule } from '../policy/policy.ts';
import type { WriterOptions } from '../repository/repository.ts';
import type { ExternalPoint } from '../point/point.ts';
import type { SourceKinds } from '../source/kinds.ts';
import type { SnapshotFilter } from '../snapshot/snapshots.ts';
import type { Surroundings } from '../source/source.ts';
import type { SnapshotFacts } from './backup-snapshot.ts';
import type { JobContext, RepositoryAccess } from './job.ts';

/** What jobs on the components of a policy need; the repositories of the policy are opened by their names. */
export interface ComponentContext {
  readonly policy: Policy;
  /** What its components can be. */
  readonly kinds: SourceKinds;
  readonly access: (repository: string) => RepositoryAccess;
  readonly clock: Clock;
  readonly readSecret: Surroundings['readSecret'];
  readonly signal: AbortSignal;
  readonly listener: Listener;
  /** Who makes the snapshots, and as which host. */
  readonly maker: Pick<SnapshotFacts, 'hostname' | 'username' | 'uid' | 'gid' | 'programVersion'>;
  readonly writer: Omit<WriterOptions, 'signal' | 'mode'>;
  readonly mode: 'execute' | 'dry-run';
  readonly onThaw?: JobContext['onThaw'];
  /** The folder of all caches. */
  readonly cacheFolder?: RawPath;
  /** When this was asked for: what somebody else has begun since needs not be done again. Nanoseconds since 1970. */
  readonly askedNs: bigint;
  /** What this host keeps for itself. */
  readonly stateFolder: string;
  /** Where what was done is recorded; nowhere in a dry run. */
  readonly recording?: Recording | undefined;
}

/** What is recorded of a run; who did it and when comes with it. */
export type NewRecord = Pick<RecordFacts, 'kind' | 'component' | 'repository' | 'plan' | 'data'>;

export interface Recording {
  /** Never fails for a repository that doesn't answer: the fact waits on this host then, and a warning says so. */
  record(fact: NewRecord): Promise<void>;
  /** Opens now where the component's facts go: what is done next may close that to its password. */
  prepare(component: string): Promise<void>;
  /** Tells what still waits on this host of a component, where that is possible now. */
  settle(component: string): Promise<void>;
  /** Folds the component's records of months that are over, where that is possible now. */
  fold(component: string): Promise<void>;
}

/** A restore that was asked for what there is not has not failed: nobody could have brought it back from there. */
const refusals = ['point-not-found', 'unsupported'] as const;

/** Does something, and records what came of it, be it a failure; what is known before of it is in the record either way. */
export async function recorded<T>(
  { recording, signal }: ComponentContext,
  { data: always, ...about }: Pick<NewRecord, 'kind' | 'component' | 'repository' | 'plan'> & Partial<NewRecord>,
  body: () => Promise<T>,
  dataOf: (outcome: T) => NewRecord['data'],
): Promise<T> {
  let outcome: T;
  try {
    outcome = await body();
  } catch (error) {
    const reason: unknown = signal.aborted ? signal.reason : error;
    const known = reason instanceof HoldfastError ? reason : undefined;
    const data = {
      ...always,
      outcome: about.kind === 'restore' && hasCode(known, ...refusals) ? 'refused' : 'failed',
      error: known?.code ?? 'internal',
      message: known?.message ?? 'a defect of Holdfast',
      at: known?.at,
    };
    await recording?.record({ ...about, data });
    throw error;
  }
  // Outside of the try: what is done is never recorded as failed, whatever becomes of its record.
  await recording?.record({ ...about, data: { ...always, ...dataOf(outcome) } });
  return outcome;
}

/** So many that a record stays small. */
export function identitiesOf(points: readonly ExternalPoint[]): readonly string[] {
  return points.slice(0, 500).map(({ identity }) => identity);
}

/** One rule of one component. */
export interface RuleOf {
  readonly name: string;
  readonly component: Component;
  readonly ruleName: string;
  readonly rule: Rule;
}

export function contextIn(context: ComponentContext, repository: string): JobContext {
  const { access, clock, signal, listener, onThaw } = context;
  return { access: access(repository), clock, signal, listener, ...(onThaw && { onThaw }) };
}

/** What a snapshot carries so that anybody's tools can tell whose it is; `restic snapshots --tag hf.component=shop-db`. */
export function tagsOf({ name, ruleName, rule }: RuleOf): readonly string[] {
  const method = rule.method === undefined ? [] : [`hf.method=${rule.method}`];
  return [`hf.component=${name}`, `hf.rule=${ruleName}`, ...method];
}

/** The snapshots of a rule, made on whichever host. */
export function snapshotsOf({ name, ruleName }: Pick<RuleOf, 'name' | 'ruleName'>): SnapshotFilter {
  return { hosts: [], paths: [], tagLists: [[`hf.component=${name}`, `hf.rule=${ruleName}`]] };
}
