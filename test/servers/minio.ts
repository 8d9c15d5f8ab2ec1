import { goProgram } from './go-program.ts';
import { startServer } from './running.ts';
import { answers, ownerKeys, s3Server, type S3Server } from './s3-server.ts';

/** The key that it encrypts with where nobody names another. */
export const minioKey = 'k1';

/** MinIO's last release: lifecycle, encryption by the server, default retention. */
export async function minio(): Promise<S3Server> {
  const running = await startServer({
    program: await minioProgram(),
    args: async ({ dir, port }) => [
      ...['server', '--quiet', '--address', `127.0.0.1:${port}`],
      ...['--certs-dir', dir.file('certs'), dir.file('data')],
    ],
    env: {
      MINIO_ROOT_USER: ownerKeys.id,
      MINIO_ROOT_PASSWORD: ownerKeys.secret,
      MINIO_KMS_SECRET_KEY: `${minioKey}:${Buffer.alloc(32, 1).toString('base64')}`,
      MINIO_CI_CD: '1',
      MINIO_BROWSER: 'off',
      MINIO_UPDATE: 'off',
    },
    ready: answers('/'),
  });
  return s3Server('MinIO', running);
}

async function minioProgram(): Promise<string> {
  return await goProgram({
    folder: 'minio-20260212',
    package: 'github.com/minio/minio',
    name: 'minio',
    version: ['--version'],
  });
}
