import type { S3ClientConfig } from '@aws-sdk/client-s3';
import { HoldfastError } from '../../errors/error.ts';
import { neverShow } from '../../secret/redact.ts';
import { silentLogger } from './silent-logger.ts';

export type Environment = Readonly<Record<string, string | undefined>>;

/** How servers of credentials are asked: with the user's certificates and proxies, and not for ever. */
export interface CredentialsWay {
  readonly requestHandler?: NonNullable<S3ClientConfig['requestHandler']>;
}

export type Credentials = NonNullable<S3ClientConfig['credentials']>;

/**
 * Who asks: the keys of the environment (AWS's names, then MinIO's, as restic takes them), else what the SDK finds:
 * shared configuration and AWS_PROFILE, single sign-on, web identity, the container's or the machine's role. With
 * RESTIC_AWS_ASSUME_ROLE_ARN these assume that role.
 */
export async function credentialsOf(
  environment: Environment,
  region: string | undefined,
  way: CredentialsWay = {},
): Promise<Credentials> {
  const own = environmentKeys(environment) ?? (await chain(environment, way));
  const role = environment['RESTIC_AWS_ASSUME_ROLE_ARN'];
  return unshown(role ? await assumed(role, own, environment, { region, ...way }) : own);
}

/** Whether other servers are asked who we are; most speak TLS. */
export function areAskedFor(environment: Environment): boolean {
  return Boolean(environment['RESTIC_AWS_ASSUME_ROLE_ARN']) || environmentKeys(environment) === undefined;
}

/**
 * Who removes what a writer may not: HOLDFAST_DELETE_ACCESS_KEY_ID and its companions, else a profile; undefined where
 * nobody else is named.
 */
export async function removersCredentials(
  environment: Environment,
  profile: string | undefined,
  way: CredentialsWay = {},
): Promise<Credentials | undefined> {
  const own = (name: string): string | undefined => environment[`HOLDFAST_DELETE_${name}`];
  const keys = environmentKeys({
    AWS_ACCESS_KEY_ID: own('ACCESS_KEY_ID'),
    AWS_SECRET_ACCESS_KEY: own('SECRET_ACCESS_KEY'),
    AWS_SESSION_TOKEN: own('SESSION_TOKEN'),
  });
  if (keys !== undefined) return unshown(keys);
  return profile === undefined ? undefined : unshown(await chain({ ...environment, AWS_PROFILE: profile }, way));
}

/** Whoever gives them, a server that repeats them is not quoted with them. */
function unshown(credentials: Credentials): Credentials {
  if (typeof credentials === 'function') return async (...asked) => kept(await credentials(...asked));
  return kept(credentials);
}

function kept<T extends { readonly secretAccessKey: string; readonly sessionToken?: string }>(identity: T): T {
  neverShow(identity.secretAccessKey);
  if (identity.sessionToken !== undefined) neverShow(identity.sessionToken);
  return identity;
}

function environmentKeys(environment: Environment): Credentials | undefined {
  const set = (...names: readonly string[]): string | undefined =>
    names.map((name) => environment[name]).find((value) => value !== undefined && value !== '');
  const id = set('AWS_ACCESS_KEY_ID', 'AWS_ACCESS_KEY', 'MINIO_ACCESS_KEY');
  const secret = set('AWS_SECRET_ACCESS_KEY', 'AWS_SECRET_KEY', 'MINIO_SECRET_KEY');
  const sessionToken = set('AWS_SESSION_TOKEN');
  if (id !== undefined && secret !== undefined)
    return { accessKeyId: id, secretAccessKey: secret, ...(sessionToken !== undefined && { sessionToken }) };
  if (id === undefined && secret === undefined) return undefined;
  const [has, lacks] =
    id === undefined ? ['SECRET_ACCESS_KEY', 'ACCESS_KEY_ID'] : ['ACCESS_KEY_ID', 'SECRET_ACCESS_KEY'];
  throw new HoldfastError('usage', `AWS_${has} is set but AWS_${lacks} is empty`);
}

async function chain(environment: Environment, way: CredentialsWay): Promise<Credentials> {
  const { fromNodeProviderChain } = await import('@aws-sdk/credential-providers');
  const { AWS_PROFILE: profile, AWS_SHARED_CREDENTIALS_FILE: filepath, AWS_CONFIG_FILE: configFilepath } = environment;
  // Files are read each time: they may have been renewed.
  return fromNodeProviderChain({
    ignoreCache: true,
    clientConfig: way,
    logger: silentLogger,
    ...(profile && { profile }),
    ...(filepath && { filepath }),
    ...(configFilepath && { configFilepath }),
  });
}

async function assumed(
  role: string,
  masterCredentials: Credentials,
  environment: Environment,
  { region, ...way }: CredentialsWay & { readonly region: string | undefined },
): Promise<Credentials> {
  const { fromTemporaryCredentials } = await import('@aws-sdk/credential-providers');
  const set = (name: string): string | undefined => environment[`RESTIC_AWS_ASSUME_ROLE_${name}`] || undefined;
  const [session, external, policy] = [set('SESSION_NAME'), set('EXTERNAL_ID'), set('POLICY')];
  const endpoint = set('STS_ENDPOINT');
  return fromTemporaryCredentials({
    masterCredentials,
    params: {
      RoleArn: role,
      RoleSessionName: session ?? 'holdfast',
      ...(external !== undefined && { ExternalId: external }),
      ...(policy !== undefined && { Policy: policy }),
    },
    clientConfig: {
      ...way,
      region: set('REGION') ?? region ?? 'us-east-1',
      ...(endpoint !== undefined && { endpoint }),
    },
  });
}
