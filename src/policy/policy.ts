import type * as z from 'zod';
import type { ExternalPlace } from '../source/external.ts';
import type { policyOf } from './schema/top.ts';
import type { repository } from './schema/repository.ts';
import type { objective } from './schema/tier.ts';
import type { verification } from './schema/verification.ts';

/**
 * What is to be protected, how, to where, kept how long, proven how often, and what is wanted of it: the effective
 * policy as a value. It comes from one YAML file (`loadPolicy`), whose defaults and templates are part of it no more;
 * each name in it that means a repository or a tier is one of its own. Its form is stated once, in `schema/`: these
 * types, the JSON Schema that editors complete by, the reference page and `config explain` are all taken from there.
 *
 * It holds no secret, only references to where secrets are. What is wrong within the file is refused when it is loaded;
 * what facts show (a repository out of reach, a backup that took too long) never is.
 */
export type Policy = z.output<ReturnType<typeof policyOf>>;
export type Component = Policy['components'][string];
export type Rule = Component['backups'][string];
export type RepositoryPolicy = z.output<typeof repository>;
export type Objective = z.output<typeof objective>;
export type Verification = z.output<typeof verification>;

/** The places of a rule in their order: the first takes the backup, the others copy it. */
export function placesOf(rule: Rule): readonly string[] {
  return Object.keys(rule.to);
}

/** The rules by whose backups a component's log is replayed, each with its name. */
export function baseRulesOf({ backups, source: { replayed } }: Component): readonly (readonly [string, Rule])[] {
  const isOf = ({ method }: Rule): boolean => method === undefined || (replayed ?? [method]).includes(method);
  return Object.entries(backups).filter(([, rule]) => isOf(rule));
}

/** What is known of a place that holds points of a component: a repository, or one where its source holds them. */
export function placeNamed(policy: Policy, { source }: Component, name: string): PlaceFacts | undefined {
  return policy.repositories[name] ?? source.places[name];
}

type PlaceFacts = ExternalPlace & Partial<Pick<RepositoryPolicy, 'lock'>>;

export function objectiveOf(policy: Policy, { tier }: Component): Objective {
  return tier === undefined ? {} : (policy.tiers[tier] ?? {});
}
