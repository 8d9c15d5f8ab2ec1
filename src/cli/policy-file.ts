import { access, readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { HoldfastError } from '../errors/error.ts';
import { reasonOf } from '../host/system-error.ts';
import { loadPolicy, type LoadedPolicy } from '../policy/load.ts';
import type { Context } from './context.ts';

/** A policy file as it was found, whatever is wrong with it. */
export interface PolicyFile extends LoadedPolicy {
  /** As it was named. */
  readonly file: string;
}

const places = ['./holdfast.yaml', '/etc/holdfast/holdfast.yaml'] as const;

/** The file that a command goes by: --config, HOLDFAST_CONFIG, or the first that is there. */
export async function policyFile(context: Context): Promise<PolicyFile> {
  const file = context.globals.config ?? (await firstThere());
  if (file === undefined) {
    throw new HoldfastError(
      'usage',
      `there is no policy file: neither --config nor $HOLDFAST_CONFIG names one, and ${places.join(' and ')} don’t exist`,
      {
        next: 'Say `--config FILE`, or `-r REPOSITORY` to work without a policy. Nothing was changed.',
      },
    );
  }
  return { file, ...loadPolicy(await textOf(file)) };
}

async function firstThere(): Promise<string | undefined> {
  for (const place of places) {
    const there = await access(place).then(
      () => true,
      () => false,
    );
    if (there) return place;
  }
  return undefined;
}

async function textOf(file: string): Promise<string> {
  try {
    return await readFile(file, 'utf8');
  } catch (cause) {
    throw new HoldfastError('usage', `the policy ${resolve(file)} can’t be read: ${reasonOf(cause)}`, { cause });
  }
}
