import { readFile } from 'node:fs/promises';
import { HoldfastError } from '../errors/error.ts';
import { reasonOf } from '../host/system-error.ts';
import type { SecretReference } from '../secret/secret.ts';
import type { fromOptions } from './commands/from-options.ts';
import type { Context } from './context.ts';
import { flagName, type Given, type Values } from './option.ts';

/** What was said of a repository and its password. A command may work with two: nothing of one counts for the other. */
export interface Location {
  readonly repo: Said;
  readonly repositoryFile: Said;
  readonly passwordFile: Said;
  readonly passwordCommand: Said;
  readonly insecureNoPassword: boolean;
  readonly keyHint: string | undefined;
  /** It is shown as it was then. Of two repositories only the one that is read can be: `--as-of` is the other's. */
  readonly asOf: bigint | undefined;
  readonly noPasswordFlag: string;
  /** The variable that may hold the password itself. */
  readonly passwordVariable: string;
  /** For the question: `enter password for repository: `. */
  readonly name: string;
}

interface Said extends ReturnType<Given> {
  readonly key: string;
  readonly text: string | undefined;
}

/** The repository that a command works on. */
export function ownLocation({ globals, given }: Context): Location {
  return {
    repo: said(given, 'repo', globals.repo),
    repositoryFile: said(given, 'repositoryFile', globals.repositoryFile),
    passwordFile: said(given, 'passwordFile', globals.passwordFile),
    passwordCommand: said(given, 'passwordCommand', globals.passwordCommand),
    insecureNoPassword: globals.insecureNoPassword,
    keyHint: globals.keyHint,
    asOf: namesOther(given) ? undefined : globals.asOf,
    noPasswordFlag: flagName('insecureNoPassword'),
    passwordVariable: 'RESTIC_PASSWORD',
    name: 'repository',
  };
}

/** The other one, that `--from-repo` names. */
export function fromLocation(values: Values<typeof fromOptions>, { globals, given }: Context): Location {
  return {
    repo: said(given, 'fromRepo', values.fromRepo),
    repositoryFile: said(given, 'fromRepositoryFile', values.fromRepositoryFile),
    passwordFile: said(given, 'fromPasswordFile', values.fromPasswordFile),
    passwordCommand: said(given, 'fromPasswordCommand', values.fromPasswordCommand),
    insecureNoPassword: values.fromInsecureNoPassword,
    keyHint: values.fromKeyHint,
    asOf: globals.asOf,
    noPasswordFlag: flagName('fromInsecureNoPassword'),
    passwordVariable: 'RESTIC_FROM_PASSWORD',
    name: 'source repository',
  };
}

function namesOther(given: Given): boolean {
  return given('fromRepo').origin !== 'none' || given('fromRepositoryFile').origin !== 'none';
}

function said(given: Given, key: string, text: string | undefined): Said {
  return { ...given(key), key, text };
}

/** The address, from flag, environment or file. */
export async function repositoryAddress(location: Location): Promise<string> {
  const chosen = chosenOf(location.repo, location.repositoryFile);
  if (chosen?.text === undefined) throw noRepositoryGiven(location);
  return chosen === location.repo ? chosen.text : (await textFile(chosen.text)).trim();
}

function noRepositoryGiven({ repo, repositoryFile, name }: Location): HoldfastError {
  const [flag, file] = [flagName(repo.key), flagName(repositoryFile.key)];
  if (repo.key !== 'repo') {
    return new HoldfastError('usage', `which ${name}? Neither ${flag} nor ${file} is given`, {
      next: `Say \`${flag} /srv/backup\`. Nothing was changed.`,
    });
  }
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
export function passwordReference(location: Location, { environment }: Context): SecretReference | undefined {
  const { passwordVariable: name, passwordFile, passwordCommand } = location;
  const value = environment[name];
  const chosen = chosenOf(passwordFile, passwordCommand);
  if (location.insecureNoPassword) {
    if (chosen !== undefined || value)
      throw new HoldfastError('usage', `${location.noPasswordFlag} and a password can’t stand together`);
    return { kind: 'empty' };
  }
  if (chosen?.text === undefined) return value ? { kind: 'environment', name, value } : undefined;
  return chosen === passwordFile ? { kind: 'file', path: chosen.text } : { kind: 'command', line: chosen.text };
}

/** Which of two options that exclude each other holds: a flag beats the environment; both of one kind is an error. */
function chosenOf(a: Said, b: Said): Said | undefined {
  if (a.origin === 'none') return b.origin === 'none' ? undefined : b;
  if (b.origin === 'none') return a;
  if (a.origin === b.origin) {
    throw new HoldfastError(
      'usage',
      `${a.origin === 'flag' ? `${flagName(a.key)} and ${flagName(b.key)}` : `${a.label} and ${b.label}`} can’t stand together`,
    );
  }
  return a.origin === 'flag' ? a : b;
}
