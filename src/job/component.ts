import type { Clock } from '../clock/clock.ts';
import type { RawPath } from '../bytes/ids.ts';
import type { Listener } from '../events/events.ts';
import type { Component, Policy, Rule } from '../policy/policy.ts';
import type { WriterOptions } from '../repository/repository.ts';
import type { SnapshotFilter } from '../snapshot/snapshots.ts';
import type { SnapshotFacts } from './backup-snapshot.ts';
import type { JobContext, RepositoryAccess } from './job.ts';

/** What jobs on the components of a policy need; the repositories of the policy are opened by their names. */
export interface ComponentContext {
  readonly policy: Policy;
  readonly access: (repository: string) => RepositoryAccess;
  readonly clock: Clock;
  readonly signal: AbortSignal;
  readonly listener: Listener;
  /** Who makes the snapshots, and as which host. */
  readonly maker: Pick<SnapshotFacts, 'hostname' | 'username' | 'uid' | 'gid' | 'programVersion'>;
  readonly writer: Omit<WriterOptions, 'signal' | 'mode'>;
  readonly mode: 'execute' | 'dry-run';
  /** The folder of all caches. */
  readonly cacheFolder?: RawPath;
}

/** One rule of one component. */
export interface RuleOf {
  readonly name: string;
  readonly component: Component;
  readonly ruleName: string;
  readonly rule: Rule;
}

export function contextIn({ access, clock, signal, listener }: ComponentContext, repository: string): JobContext {
  return { access: access(repository), clock, signal, listener };
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
