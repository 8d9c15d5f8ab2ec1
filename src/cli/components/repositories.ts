import { nearest } from '../../bytes/nearest.ts';
import { HoldfastError } from '../../errors/error.ts';
import { onRepository } from '../../job/on-repository.ts';
import type { Policy } from '../../policy/policy.ts';
import type { AtRepository } from '../at-repository.ts';
import type { Context } from '../context.ts';
import { wholeRepository } from '../../record/record.ts';
import { policyOf } from '../policy-file.ts';
import { recordingContext } from './context.ts';

/** Works on one repository of the policy, and records it. */
export async function workOn<T>(context: Context, { named, mode, listener, ...work }: AtRepository<T>): Promise<T> {
  const { policy } = await policyOf(context);
  const repository = repositoryMeant(policy, named, work.kind === 'prune' ? '`--all`, ' : '');
  await using base = await recordingContext(context, policy, { mode, listener });
  if (work.kind === 'key') await base.recording?.prepare(wholeRepository);
  return await onRepository(base, { ...work, repository });
}

/** The one that is named; without a name the only one. `all`: how all are named, where a command works on all. */
function repositoryMeant({ repositories }: Policy, named: string | undefined, all: string): string {
  const names = Object.keys(repositories);
  const [only = '', ...others] = names;
  if (named === undefined && others.length === 0) return only;
  const there = names.join(', ');
  if (named === undefined)
    throw new HoldfastError('usage', `which repository? There are ${there}`, {
      next: `Say ${all}\`--repository ${only}\`, or -r for one that is not of the policy. Nothing was changed.`,
    });
  if (names.includes(named)) return named;
  const guess = nearest(named, names);
  const hint = guess === undefined ? `there are ${there}` : `did you mean ${guess}?`;
  throw new HoldfastError('usage', `there is no repository ${JSON.stringify(named)}; ${hint}`);
}

/** One repository of the policy after the other. What fails is told, and the others go on: exit code 1. */
export async function forEachRepository(context: Context, work: (name: string) => Promise<number>): Promise<number> {
  const { policy } = await policyOf(context);
  const codes: number[] = [];
  for (const name of Object.keys(policy.repositories)) {
    if (context.console.form === 'json') context.console.record({ message_type: 'repository', repository: name });
    else context.console.say(`\n${name}:`);
    codes.push(await codeOf(name, work, context));
  }
  return codes.includes(1) ? 1 : Math.max(0, ...codes);
}

async function codeOf(name: string, work: (name: string) => Promise<number>, context: Context): Promise<number> {
  try {
    return await work(name);
  } catch (error) {
    if (!(error instanceof HoldfastError) || context.signal.aborted) throw error;
    tellFailed(name, error, context);
    return 1;
  }
}

export function tellFailed(name: string, { code, message, next }: HoldfastError, { console }: Context): void {
  const record = { message_type: 'repository_failed', repository: name, error_code: code, message, next };
  console.complain(`${name}: ${message}\n  ${next}`, record);
}
