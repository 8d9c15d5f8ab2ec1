import { HoldfastError } from '../errors/error.ts';
import type { Policy, RepositoryPolicy } from '../policy/policy.ts';
import { referenceOf, type PolicySecret } from '../policy/secrets.ts';
import { readSecret, type Secret } from '../secret/secret.ts';
import type { Environment } from './arguments.ts';
import type { Context } from './context.ts';

/** A repository of a policy: its address, and what commands on it are run with. */
export interface PolicyPlace {
  readonly address: string;
  /** With the options and credentials that the policy names for it. */
  readonly context: Context;
  readonly password: Secret;
}

/** Credentials and passwords are read when a repository is opened, and are kept in memory alone. */
export async function placeOf(context: Context, policy: Policy, name: string): Promise<PolicyPlace> {
  const { [name]: repository } = policy.repositories;
  if (repository === undefined) throw new HoldfastError('usage', `the policy has no repository ${name}`);
  const option = [...optionsOf(repository), ...context.globals.option];
  const environment = { ...context.environment, ...(await credentialsOf(repository, context)) };
  return {
    address: repository.url,
    context: { ...context, environment, globals: { ...context.globals, option } },
    password: await secretOf(repository.password, context),
  };
}

/** What the policy says of a repository in the storage's own options, as -o would. */
function optionsOf(repository: RepositoryPolicy): readonly string[] {
  const { options, lock, 'storage-class': storageClass, 'delete-credentials': removers } = repository;
  return [
    ...Object.entries(options).map(([name, value]) => `${name}=${value}`),
    ...(lock === undefined ? [] : [`s3.lock=${lock.for.text}`, `s3.lock-mode=${lock.mode}`]),
    ...(storageClass === undefined ? [] : [`s3.storage-class=${storageClass}`]),
    ...(removers?.profile === undefined ? [] : [`s3.delete-profile=${removers.profile}`]),
  ];
}

async function secretOf(secret: PolicySecret, context: Context): Promise<Secret> {
  return await secretsIn(context)(secret, context.signal);
}

/** Reads what a policy refers to, where this process finds it. */
export function secretsIn({
  environment,
}: Pick<Context, 'environment'>): (secret: PolicySecret, signal: AbortSignal) => Promise<Secret> {
  return async (secret, signal) => await readSecret(referenceOf(secret, environment), signal);
}

/** By the names under which the drivers look for them. */
const variables = {
  'credentials': {
    'profile': 'AWS_PROFILE',
    'key-id': 'AWS_ACCESS_KEY_ID',
    'secret-key': 'AWS_SECRET_ACCESS_KEY',
    'session-token': 'AWS_SESSION_TOKEN',
    'user': 'RESTIC_REST_USERNAME',
    'password': 'RESTIC_REST_PASSWORD',
  },
  'delete-credentials': {
    'profile': 'HOLDFAST_DELETE_PROFILE',
    'key-id': 'HOLDFAST_DELETE_ACCESS_KEY_ID',
    'secret-key': 'HOLDFAST_DELETE_SECRET_ACCESS_KEY',
    'session-token': 'HOLDFAST_DELETE_SESSION_TOKEN',
    'user': '',
    'password': '',
  },
} as const;

/** Who is named by the policy is asked alone: what the environment has of the same kind is taken away. */
async function credentialsOf(repository: RepositoryPolicy, context: Context): Promise<Environment> {
  const environment: Record<string, string | undefined> = {};
  for (const which of ['credentials', 'delete-credentials'] as const) {
    const given = repository[which];
    if (given === undefined) continue;
    for (const key of Object.keys(variables[which]) as (keyof typeof given)[]) {
      const value = given[key];
      const text = typeof value === 'object' ? (await secretOf(value, context)).reveal() : value;
      if (variables[which][key] !== '') environment[variables[which][key]] = text;
    }
  }
  return environment;
}
