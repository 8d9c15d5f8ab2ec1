import { S3ServiceException } from '@aws-sdk/client-s3';
import { systemClock } from '../../clock/clock.ts';
import type { ErrorCode } from '../../errors/codes.ts';
import { HoldfastError } from '../../errors/error.ts';
import { retryAfterMs } from '../http/retry-after.ts';
import { othersWords } from '../others-words.ts';
import { clockRefusal } from './clock-refusal.ts';

/** By the error's own name; what isn't here is judged by its status. */
const meanings: Readonly<Record<string, ErrorCode>> = {
  AccessDenied: 'storage-denied',
  AllAccessDisabled: 'storage-denied',
  AuthorizationHeaderMalformed: 'usage',
  BadDigest: 'storage-failed',
  BucketAlreadyExists: 'storage-denied',
  /** Somebody removes or stores the same key just now: whether it is there is open. */
  ConditionalRequestConflict: 'storage-failed',
  ExpiredToken: 'storage-denied',
  ExpiredTokenException: 'storage-denied',
  InvalidAccessKeyId: 'storage-denied',
  InvalidArgument: 'usage',
  InvalidBucketName: 'usage',
  InvalidEncryptionAlgorithmError: 'usage',
  InvalidObjectState: 'storage-archived',
  InvalidStorageClass: 'usage',
  InvalidToken: 'storage-denied',
  InvalidTokenId: 'storage-denied',
  NoSuchBucket: 'storage-missing',
  NoSuchKey: 'storage-not-found',
  NoSuchUpload: 'storage-failed',
  NoSuchVersion: 'storage-not-found',
  NotImplemented: 'unsupported',
  OperationAborted: 'storage-failed',
  PermanentRedirect: 'usage',
  QuotaExceeded: 'storage-full',
  /** Where the clocks agree (clock-refusal.ts), the request has waited for its turn for too long. */
  RequestTimeTooSkewed: 'storage-failed',
  RequestTimeout: 'storage-failed',
  SignatureDoesNotMatch: 'storage-denied',
  TokenRefreshRequired: 'storage-denied',
  XAmzContentSHA256Mismatch: 'storage-failed',
  XMinioAdminBucketQuotaExceeded: 'storage-full',
  XMinioStorageFull: 'storage-full',
};

const statuses: Readonly<Record<number, ErrorCode>> = {
  301: 'usage',
  308: 'usage',
  401: 'storage-denied',
  403: 'storage-denied',
  404: 'storage-not-found',
  405: 'storage-denied',
  409: 'storage-exists',
  412: 'storage-exists',
  416: 'damaged',
  501: 'unsupported',
  507: 'storage-full',
};

const renew =
  'Renew the credentials, then run the command again: what is stored already is unharmed and not sent twice.';

const nexts: Readonly<Record<string, string>> = {
  AuthorizationHeaderMalformed: 'Give the bucket’s region: -o s3.region=….',
  ExpiredToken: renew,
  ExpiredTokenException: renew,
  TokenRefreshRequired: renew,
  NoSuchBucket:
    'Check the address, and whether somebody removed the bucket. It is not made anew; what the local cache holds stays.',
  PermanentRedirect: 'The bucket is elsewhere: name its region’s host in the address, or give -o s3.region.',
};

/** What servers say of credentials that have expired or were replaced; MinIO forgets them then. */
const outOfDate = [
  ...['ExpiredToken', 'ExpiredTokenException', 'TokenRefreshRequired'],
  ...['InvalidAccessKeyId', 'InvalidToken', 'InvalidTokenId'],
];

/** Other credentials may be had by now. */
export function needsCredentials(error: unknown): boolean {
  return error instanceof Error && outOfDate.includes(error.name);
}

/** What a failed request means for the object; `doing` reads like 'cannot store data/ab/… in s3:https://host/bucket'. */
export function s3Error(error: unknown, doing: string): HoldfastError {
  if (error instanceof HoldfastError) return error;
  if (error instanceof S3ServiceException) return serviceError(error, doing);
  const { name, code, message } = partsOf(error);
  if (name === 'CredentialsProviderError') return noCredentials(error, doing);
  const reason = [code, othersWords(message)].filter((part) => part !== undefined && part !== '').join(': ');
  // Who gives credentials (a role) may refuse, too.
  const denied = isTrust(code) || needsCredentials(error);
  const next = denied && name !== undefined ? nexts[name] : undefined;
  return new HoldfastError(denied ? 'storage-denied' : 'storage-failed', `${doing}: ${reason}`, {
    cause: error,
    ...(next !== undefined && { next }),
  });
}

function serviceError(error: S3ServiceException, doing: string): HoldfastError {
  const status = error.$metadata.httpStatusCode ?? 0;
  const wrongClock = clockRefusal(error);
  const code = wrongClock === undefined ? codeOf(error, status) : 'clock-wrong';
  const words = [error.name, error.message].filter((part, n, all) => part !== '' && all.indexOf(part) === n).join(': ');
  const next = nexts[error.name];
  const why = wrongClock ?? (lockRefusal(error) ? 'it is locked' : undefined);
  const message = `${doing}: ${why === undefined ? '' : `${why}: `}${othersWords(words)} (${status})`;
  return new HoldfastError(code, message, {
    cause: error,
    ...(next !== undefined && { next }),
    ...retryAfterMs((name) => error.$response?.headers[name], systemClock.nowNs()),
  });
}

function codeOf(error: S3ServiceException, status: number): ErrorCode {
  if (lockRefusal(error)) return 'storage-denied';
  // Of a version that is a marker.
  if (error.$response?.headers['x-amz-delete-marker'] === 'true') return 'storage-not-found';
  if (error.name.startsWith('KMS.')) return 'storage-denied';
  return meanings[error.name] ?? statuses[status] ?? 'storage-failed';
}

/** What a server says of a version that it keeps: 403 on AWS and versitygw, 400 on MinIO. */
function lockRefusal(error: S3ServiceException): boolean {
  const kept =
    /object ?lock|WORM|locked|retention/i.test(error.message) && !/missing|not enabled|required/i.test(error.message);
  return kept && [400, 403].includes(error.$metadata.httpStatusCode ?? 0);
}

function noCredentials(cause: unknown, doing: string): HoldfastError {
  return new HoldfastError('storage-denied', `${doing}: no credentials were found`, {
    cause,
    next: 'Set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or AWS_PROFILE; or give -o s3.unsafe-anonymous-auth=true.',
  });
}

/** Whether TLS refuses the server, which no repetition heals. */
function isTrust(code: string | undefined): boolean {
  return code !== undefined && /CERT|SELF_SIGNED|UNABLE_TO|ERR_TLS|ERR_SSL/.test(code);
}

function partsOf(error: unknown): { readonly name?: string; readonly code?: string; readonly message: string } {
  if (!(error instanceof Error)) return { message: String(error) };
  const code = 'code' in error && typeof error.code === 'string' ? error.code : undefined;
  // What the SDK adds is for programmers.
  const message = error.message.replace(/\s*Deserialization error: to see the raw response.*$/s, '');
  return { name: error.name, message, ...(code !== undefined && { code }) };
}
