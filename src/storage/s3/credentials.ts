import type { S3ClientConfig } from '@aws-sdk/client-s3';
import { HoldfastError } from '../../errors/error.ts';

export type Environment = Readonly<Record<string, string | undefined>>;

export type Credentials = NonNullable<S3ClientConfig['credentials']>;

/**
 * Who asks: the keys of the environment (AWS's names, then MinIO's, as restic takes them), else what the SDK finds:
 * shared configuration and AWS_PROFILE, single sign-on, web identity, the container's or the machine's role. With
 * RESTIC_AWS_ASSUME_ROLE_ARN these assume that role.
 */
export async function credentialsOf(environment: Environment, region: string | undefined): Promise<Credentials> {
  const own = environmentKeys(environment) ?? (await chain(environment));
  const role = environment['RESTIC_AWS_ASSUME_ROLE_ARN'];
  return role ? await assumed(role, own, environment, region) : own;
}

/**
 * Who removes what a writer may not: HOLDFAST_DELETE_ACCESS_KEY_ID and its companions, else a profile; undefined where
 * nobody else is named.
 */
export async function removersCredentials(
  environment: Environment,
  profile: string | undefined,
): Promise<Credentials | undefined> {
  const own = (name: string): string | undefined => environment[`HOLDFAST_DELETE_${name}`];
  const keys = environmentKeys({
    AWS_ACCESS_KEY_ID: own('ACCESS_KEY_ID'),
    AWS_SECRET_ACCESS_KEY: own('SECRET_ACCESS_KEY'),
    AWS_SESSION_TOKEN: own('SESSION_TOKEN'),
  });
  if (keys || profile === undefined) return keys;
  return await chain({ ...environment, AWS_PROFILE: profile });
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

async function chain(environment: Environment): Promise<Credentials> {
  const { fromNodeProviderChain } = await import('@aws-sdk/credential-providers');
  const { AWS_PROFILE: profile, AWS_SHARED_CREDENTIALS_FILE: filepath, AWS_CONFIG_FILE: configFilepath } = environment;
  // Files are read each time: they may have been renewed.
  return fromNodeProviderChain({
    ignoreCache: true,
    ...(profile && { profile }),
    ...(filepath && { filepath }),
    ...(configFilepath && { configFilepath }),
  });
}

async function assumed(
  role: string,
  masterCredentials: Credentials,
  environment: Environment,
  region: string | undefined,
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
    clientConfig: { region: set('REGION') ?? region ?? 'us-east-1', ...(endpoint !== undefined && { endpoint }) },
  });
}
