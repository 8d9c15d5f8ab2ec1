import type { RunningServer } from './running.ts';

/** A real S3 server of a test. */
export interface S3Server extends AsyncDisposable {
  readonly name: 'versitygw' | 'MinIO';
  /** `http://127.0.0.1:PORT` */
  readonly endpoint: string;
  /** The variables that make whoever has them the owner of all. */
  readonly owner: Readonly<Record<string, string>>;
  readonly running: RunningServer;
}

export const ownerKeys = { id: 'owner-of-all', secret: 'secret-of-the-owner' };

export function s3Server(name: S3Server['name'], running: RunningServer): S3Server {
  return {
    name,
    endpoint: `http://127.0.0.1:${running.port}`,
    owner: { AWS_ACCESS_KEY_ID: ownerKeys.id, AWS_SECRET_ACCESS_KEY: ownerKeys.secret },
    running,
    [Symbol.asyncDispose]: () => running[Symbol.asyncDispose](),
  };
}

/** Ready once a path answers, and not that the server is still starting. */
export function answers(path: string): (place: { readonly port: number }) => Promise<boolean> {
  return async ({ port }) => {
    const answer = await fetch(`http://127.0.0.1:${port}${path}`, { signal: AbortSignal.timeout(5000) });
    await answer.body?.cancel();
    return answer.status < 500;
  };
}
