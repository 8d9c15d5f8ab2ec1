import { mkdir } from 'node:fs/promises';
import { goProgram } from './go-program.ts';
import { startServer } from './running.ts';
import { answers, ownerKeys, s3Server, type S3Server } from './s3-server.ts';

/**
 * versitygw 1.8.0 over a folder: Object Lock, versions and bucket policies, strict about permissions. With a domain,
 * buckets are parts of the host's name.
 */
export async function versitygw(domain?: string): Promise<S3Server> {
  const running = await startServer({
    program: await versitygwProgram(),
    args: async ({ dir, port }) => {
      for (const folder of ['iam', 'versions', 'data']) await mkdir(dir.file(folder));
      return [
        ...['--quiet', '--port', `127.0.0.1:${port}`, '--iam-dir', dir.file('iam'), '--iam-cache-disable'],
        ...['--health', '/health', 'posix', '--versioning-dir', dir.file('versions'), dir.file('data')],
      ];
    },
    env: {
      ROOT_ACCESS_KEY: ownerKeys.id,
      ROOT_SECRET_KEY: ownerKeys.secret,
      ...(domain !== undefined && { VGW_VIRTUAL_DOMAIN: domain }),
    },
    ready: answers('/health'),
  });
  return s3Server('versitygw', running);
}

export async function versitygwProgram(): Promise<string> {
  return await goProgram({
    folder: 'versitygw-1.8.0',
    package: 'github.com/versity/versitygw/cmd/versitygw',
    name: 'versitygw',
    version: ['--version'],
  });
}
