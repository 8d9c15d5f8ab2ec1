import { systemClock } from '../../clock/clock.ts';
import type { ErrorCode } from '../../errors/codes.ts';
import { HoldfastError } from '../../errors/error.ts';
import { errorCode, reasonOf } from '../../host/system-error.ts';
import { retryAfterMs } from '../http/retry-after.ts';

const meanings: Readonly<Record<number, ErrorCode>> = {
  301: 'usage',
  308: 'usage',
  401: 'storage-denied',
  403: 'storage-denied',
  404: 'storage-not-found',
  405: 'storage-denied',
  407: 'storage-denied',
  413: 'storage-full', // rest-server's --max-size
  416: 'damaged', // the range begins beyond the end
  504: 'storage-timeout',
  507: 'storage-full',
};

const nexts: Readonly<Record<number, string>> = {
  301: 'Redirects are not followed: give the address where the repository is now.',
  308: 'Redirects are not followed: give the address where the repository is now.',
  401: 'Check user and password: in the address, or RESTIC_REST_USERNAME and RESTIC_REST_PASSWORD.',
  403: 'Check what this user may do there. An append-only server lets nobody remove or replace.',
};

/** What a refusing status means for the object; `doing` reads like 'cannot store data/ab/… in rest:https://host/'. */
export function statusError(
  status: number,
  doing: string,
  header: (name: string) => string | undefined = () => undefined,
): HoldfastError {
  const code = meanings[status] ?? 'storage-failed';
  const next = nexts[status];
  const text = status >= 300 && status < 400 ? 'the server sends us elsewhere' : 'the server answers';
  return new HoldfastError(code, `${doing}: ${text} with status ${status}`, {
    ...(next !== undefined && { next }),
    ...retryAfterMs(header, systemClock.nowNs()),
  });
}

const distrust =
  'If the server’s certificate is its own, name it with --cacert; a server that asks for one gets it by --tls-client-cert.';

/** What a connection that failed means. */
export function connectionError(error: unknown, doing: string): HoldfastError {
  if (error instanceof HoldfastError)
    return new HoldfastError(error.code, `${doing}: ${error.message}`, {
      cause: error,
      retryAfterMs: error.retryAfterMs,
    });
  if (isAboutTrust(error)) {
    return new HoldfastError('storage-denied', `${doing}: no trust: ${reasonOf(error)}`, {
      cause: error,
      next: distrust,
    });
  }
  const code = errorCode(error) === 'ETIMEDOUT' ? 'storage-timeout' : 'storage-failed';
  return new HoldfastError(code, `${doing}: ${reasonOf(error) || 'the connection failed'}`, { cause: error });
}

/** Certificates and keys that one side doesn't take: no repetition helps. */
function isAboutTrust(error: unknown): boolean {
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  return /CERT|SIGNATURE|ISSUER|ERR_SSL|ERR_TLS/.test(code);
}
