import { createReadStream } from 'node:fs';
import { resolve } from 'node:path';
import { HoldfastError } from '../errors/error.ts';
import { keepFromChildren } from '../host/own-environment.ts';
import { reasonOf } from '../host/system-error.ts';
import { loadPolicy, type LoadedPolicy } from '../policy/load.ts';
import type { Policy } from '../policy/policy.ts';
import { secretVariables } from '../policy/secrets.ts';
import { problemLine } from '../policy/problem.ts';
import type { Context } from './context.ts';
import { firstPolicyFile, policyPlaces } from './policy-places.ts';

/** A policy file as it was found, whatever is wrong with it. */
export interface PolicyFile extends LoadedPolicy {
  /** As it was named. */
  readonly file: string;
}

const begun = new WeakMap<Context, Promise<PolicyFile>>();

/** Reads the file now, for the next who asks for it. */
export async function beginPolicyFile(context: Context): Promise<PolicyFile> {
  const found = policyFile(context);
  begun.set(context, found);
  return await found;
}

/** The file that a command goes by: --config, HOLDFAST_CONFIG, or the first that is there. */
export async function policyFile(context: Context, named?: string): Promise<PolicyFile> {
  const read = named === undefined ? begun.get(context) : undefined;
  begun.delete(context);
  if (read !== undefined) return await read;
  const file = named ?? (await policyFileName(context));
  if (file !== undefined) return heldBack({ file, ...loadPolicy(await textOf(file), await context.kinds()) });
  const looked = `neither --config nor $HOLDFAST_CONFIG names one, and ${policyPlaces.join(' and ')} don’t exist`;
  throw new HoldfastError('usage', `there is no policy file: ${looked}`, {
    next: 'Say `--config FILE`, or `-r REPOSITORY` to work without a policy. Nothing was changed.',
  });
}

/** Undefined where none is named and none found. */
export async function policyFileName({ globals }: Context): Promise<string | undefined> {
  return globals.config ?? (await firstPolicyFile());
}

/** No command that is run for a policy is handed what opens its repositories. */
function heldBack(found: PolicyFile): PolicyFile {
  if (found.policy !== undefined) keepFromChildren(secretVariables(found.policy));
  return found;
}

/** A policy that holds; otherwise 'policy-refused', after each reason was told. */
export async function policyOf(context: Context): Promise<{ readonly file: string; readonly policy: Policy }> {
  const { file, policy, problems } = await policyFile(context);
  if (policy !== undefined) return { file, policy };
  for (const problem of problems.filter(({ severity }) => severity === 'error'))
    context.console.complain(problemLine(file, problem), { message_type: 'policy_problem', file, ...problem });
  throw new HoldfastError('policy-refused', `the policy ${file} is refused`);
}

/** A policy is no larger than 1 MiB: what is read beyond that shows that it is none. */
const mostBytes = 1024 * 1024;

async function firstOf(file: string): Promise<string> {
  const chunks: Buffer[] = [];
  const bytes: AsyncIterable<Buffer> = createReadStream(file, { end: mostBytes });
  for await (const chunk of bytes) chunks.push(chunk);
  return Buffer.concat(chunks).toString('utf8');
}

async function textOf(file: string): Promise<string> {
  try {
    return await firstOf(file);
  } catch (cause) {
    throw new HoldfastError('usage', `the policy ${resolve(file)} can’t be read: ${reasonOf(cause)}`, { cause });
  }
}
