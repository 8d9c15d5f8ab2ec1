import { isAbsolute, join } from 'node:path';
import type { Path } from './path.ts';
import type { Policy } from './policy.ts';
import { HoldfastError } from '../errors/error.ts';
import { shownName, type SecretReference } from '../secret/secret.ts';
import type { PolicySecret } from '../source/secret-reference.ts';

export type { PolicySecret } from '../source/secret-reference.ts';

export interface NamedSecret {
  readonly path: Path;
  readonly secret: PolicySecret;
}

/** Every secret that a policy refers to. */
export function secretsOf({ repositories }: Policy): readonly NamedSecret[] {
  return Object.entries(repositories).flatMap(([name, repository]) => {
    const at = ['repositories', name];
    const keys = (['credentials', 'delete-credentials'] as const).flatMap((which) =>
      Object.entries(repository[which] ?? {}).flatMap(([key, value]) =>
        typeof value === 'object' ? [{ path: [...at, which, key], secret: value }] : [],
      ),
    );
    return [{ path: [...at, 'password'], secret: repository.password }, ...keys];
  });
}

/** The variables that hold what is nobody's business but Holdfast's: all that the policy names, but for components'. */
export function secretVariables(policy: Policy): readonly string[] {
  return variablesIn({ ...policy, components: {} });
}

function variablesIn(value: unknown): readonly string[] {
  if (typeof value !== 'object' || value === null) return [];
  if ('env' in value && typeof value.env === 'string') return [value.env];
  return Object.values(value).flatMap(variablesIn);
}

/** The files that hold what repositories and components are opened by. */
export function secretFiles(policy: Policy): readonly string[] {
  return [
    ...secretsOf(policy).flatMap(({ secret: { file } }) => (file === undefined ? [] : [file])),
    ...filesIn(policy.components),
  ];
}

/** Whatever else says `file` with a path of this host is hidden with them, which does no harm. */
function filesIn(value: unknown): readonly string[] {
  if (typeof value !== 'object' || value === null) return [];
  if ('file' in value && typeof value.file === 'string' && isAbsolute(value.file)) return [value.file];
  return Object.values(value).flatMap(filesIn);
}

/** Where this process finds it; 'refused' where the environment lacks what is named. */
export function referenceOf(
  secret: PolicySecret,
  environment: Readonly<Record<string, string | undefined>>,
): SecretReference {
  const { env, file, command, credential } = secret;
  if (file !== undefined) return { kind: 'file', path: file };
  if (command !== undefined) return { kind: 'command', line: command };
  if (credential !== undefined) {
    const folder = environment['CREDENTIALS_DIRECTORY'];
    if (folder === undefined)
      throw new HoldfastError(
        'refused',
        `systemd handed over no credentials, ${shownName(credential, 'the one named')} among them`,
      );
    return { kind: 'file', path: join(folder, credential) };
  }
  const value = env === undefined ? undefined : environment[env];
  if (env === undefined || value === undefined || value === '')
    throw new HoldfastError('refused', `the variable ${shownName(env ?? '', 'that is named')} is not set`);
  return { kind: 'environment', name: env, value };
}
