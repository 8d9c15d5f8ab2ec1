import { HoldfastError } from '../errors/error.ts';
import type { Context } from './context.ts';
import { firstPolicyFile } from './policy-places.ts';

/**
 * Whether a command works on the components of a policy, or on the one repository of -r. A flag beats the environment,
 * the environment beats a file that is found. Two flags, or two variables without a flag, say two things: 'usage'.
 */
export async function goesByPolicy({ given }: Pick<Context, 'given'>): Promise<boolean> {
  const policy = given('config').origin;
  const repositories = [given('repo').origin, given('repositoryFile').origin];
  for (const origin of ['flag', 'environment'] as const) {
    const isRepository = repositories.includes(origin);
    if (policy === origin && isRepository) throw twoThings(origin);
    if (policy === origin) return true;
    if (isRepository) return false;
  }
  return (await firstPolicyFile()) !== undefined;
}

function twoThings(origin: 'flag' | 'environment'): HoldfastError {
  const both = origin === 'flag' ? '--config and -r' : '$HOLDFAST_CONFIG and $RESTIC_REPOSITORY';
  return new HoldfastError('usage', `${both} can’t stand together: one means a policy, the other a single repository`);
}

/** A bare word that names a component is never taken for a path, even where -r or its variable was chosen. */
export async function refuseComponents(context: Context, operands: readonly string[], command: string): Promise<void> {
  const words = operands.filter((word) => /^[a-z0-9][a-z0-9-]{0,62}$/.test(word));
  const file = words.length === 0 ? undefined : await firstPolicyFile();
  if (file === undefined) return;
  const { policyFile } = await import('./policy-file.ts');
  const { policy } = await policyFile(context, file);
  const component = words.find((word) => policy !== undefined && Object.hasOwn(policy.components, word));
  if (component === undefined) return;
  throw new HoldfastError('usage', `${component} is a component of ${file}, and may be a path: which one?`, {
    next: `Say \`holdfast ${command} --config ${file} ${component}\`, or \`holdfast ${command} ./${component}\`. Nothing was changed.`,
  });
}
