import { readFile } from 'node:fs/promises';
import { HoldfastError } from '../errors/error.ts';
import { reasonOf } from '../host/system-error.ts';
import type { SecretReference } from '../secret/secret.ts';
import type { Context } from './context.ts';
import { flagName } from './option.ts';

/** The address of the repository, from flag, environment or file. */
export async function repositoryAddress(context: Context): Promise<string> {
  const chosen = chosenOf(context, 'repo', 'repositoryFile');
  const { repo, repositoryFile } = context.globals;
  if (chosen === 'repo' && repo !== undefined) return repo;
  if (repositoryFile === undefined) throw noRepositoryGiven();
  return (await textFile(repositoryFile)).trim();
}

function noRepositoryGiven(): HoldfastError {
  return new HoldfastError('usage', 'which repository? Neither -r, --repository-file nor $RESTIC_REPOSITORY is given', {
    next: 'Say `-r /srv/backup`, or set RESTIC_REPOSITORY. Nothing was changed.',
  });
}

async function textFile(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8');
  } catch (cause) {
    throw new HoldfastError('usage', `the repository file ${path} can't be read: ${reasonOf(cause)}`, { cause });
  }
}

/** Where the password is; undefined when a person must be asked. */
export function passwordReference(context: Context): SecretReference | undefined {
  const { globals, environment } = context;
  const value = environment['RESTIC_PASSWORD'];
  const chosen = chosenOf(context, 'passwordFile', 'passwordCommand');
  if (globals.insecureNoPassword) {
    if (chosen !== undefined || value)
      throw new HoldfastError('usage', '--insecure-no-password and a password can’t stand together');
    return { kind: 'empty' };
  }
  if (chosen === 'passwordFile' && globals.passwordFile !== undefined)
    return { kind: 'file', path: globals.passwordFile };
  if (globals.passwordCommand !== undefined) return { kind: 'command', line: globals.passwordCommand };
  return value ? { kind: 'environment', name: 'RESTIC_PASSWORD', value } : undefined;
}

/** Which of two options that exclude each other holds: a flag beats the environment; both of one kind is an error. */
function chosenOf<A extends string, B extends string>({ given }: Context, first: A, second: B): A | B | undefined {
  const [a, b] = [given(first), given(second)];
  if (a.origin === 'none') return b.origin === 'none' ? undefined : second;
  if (b.origin === 'none') return first;
  if (a.origin === b.origin) {
    throw new HoldfastError(
      'usage',
      `${a.origin === 'flag' ? `${flagName(first)} and ${flagName(second)}` : `${a.label} and ${b.label}`} can’t stand together`,
    );
  }
  return a.origin === 'flag' ? first : second;
}
