import type { S3Client } from '@aws-sdk/client-s3';

/** Hashes of bodies on their way: a stream can't be asked for its own. */
const hashes = new WeakMap<object, string>();

/** Has the body signed by its hash (SHA-256, hex), so that the server refuses what changed on the way. */
export function signedBy<B extends object>(body: B, sha256: string): B {
  hashes.set(body, sha256);
  return body;
}

/** Lets the client send what the SDK doesn't know of. */
export function addHeaders(client: S3Client, httpUserAgent: string | undefined): void {
  client.middlewareStack.add(
    (next) => (args) => {
      const sha256 = 'Body' in args.input && typeof args.input.Body === 'object' && hashes.get(args.input.Body);
      addTo(args.request, {
        ...(sha256 && { 'x-amz-content-sha256': sha256 }),
        ...(httpUserAgent !== undefined && { 'user-agent': httpUserAgent, 'x-amz-user-agent': httpUserAgent }),
      });
      return next(args);
    },
    { step: 'build', priority: 'low', name: 'holdfastHeaders' },
  );
}

function addTo(request: unknown, headers: Readonly<Record<string, string>>): void {
  if (typeof request !== 'object' || request === null || !('headers' in request)) return;
  if (typeof request.headers === 'object' && request.headers !== null) Object.assign(request.headers, headers);
}
