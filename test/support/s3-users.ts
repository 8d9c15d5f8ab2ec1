import { PutBucketPolicyCommand, S3Client } from '@aws-sdk/client-s3';
import type { Policies } from '../../src/storage/policy.ts';
import type { S3Server } from '../servers/s3-server.ts';
import { versitygwProgram } from '../servers/versitygw.ts';
import { runOk } from './run-program.ts';

/** The variables of somebody who may do what a policy allows. */
export type S3User = Readonly<Record<string, string>>;

/** A writer and a pruner, each with exactly the printed policy. */
export async function usersOf(
  server: S3Server,
  bucket: string,
  policies: Policies,
): Promise<Readonly<Record<keyof Policies, S3User>>> {
  if (server.name === 'MinIO')
    return { writer: assumed(server, policies.writer), pruner: assumed(server, policies.pruner) };
  const writer = await created(server, 'writer');
  const pruner = await created(server, 'pruner');
  const statements = (['writer', 'pruner'] as const).flatMap((name) =>
    policies[name].Statement.map((statement) => ({
      ...statement,
      Sid: `${name}${statement.Sid}`,
      Principal: { AWS: [name] },
    })),
  );
  const { AWS_ACCESS_KEY_ID: accessKeyId = '', AWS_SECRET_ACCESS_KEY: secretAccessKey = '' } = server.owner;
  const client = new S3Client({
    endpoint: server.endpoint,
    region: 'us-east-1',
    forcePathStyle: true,
    credentials: { accessKeyId, secretAccessKey },
  });
  const Policy = JSON.stringify({ Version: '2012-10-17', Statement: statements });
  await client.send(new PutBucketPolicyCommand({ Bucket: bucket, Policy }));
  client.destroy();
  return { writer, pruner };
}

/** MinIO gives whoever assumes a role with a policy no more than that. */
function assumed({ endpoint, owner }: S3Server, policy: Policies['writer']): S3User {
  return {
    ...owner,
    RESTIC_AWS_ASSUME_ROLE_ARN: 'arn:aws:iam::000000000000:role/holdfast',
    RESTIC_AWS_ASSUME_ROLE_STS_ENDPOINT: endpoint,
    RESTIC_AWS_ASSUME_ROLE_POLICY: JSON.stringify(policy),
  };
}

async function created({ endpoint, owner }: S3Server, name: string): Promise<S3User> {
  const secret = `secret-of-the-${name}`;
  const { AWS_ACCESS_KEY_ID: id = '', AWS_SECRET_ACCESS_KEY: key = '' } = owner;
  const admin = ['admin', '--access', id, '--secret', key, '--endpoint-url', endpoint];
  await runOk(await versitygwProgram(), [
    ...admin,
    ...['create-user', '--access', name, '--secret', secret, '--role', 'user'],
  ]);
  return { AWS_ACCESS_KEY_ID: name, AWS_SECRET_ACCESS_KEY: secret };
}
