import type { S3ServiceException } from '@aws-sdk/client-s3';
import { systemClock } from '../../clock/clock.ts';
import { nsOfHttpDate } from '../../clock/date.ts';

/** Amazon's and everybody's. */
const refusedFromMs = 15 * 60_000;

/** Then the clocks are not why a request came too late. */
const agreeingMs = 10 * 60_000;

/** What is to be said of a request that was refused because of its time; undefined where that isn't why. */
export function clockRefusal(error: S3ServiceException): string | undefined {
  const aheadMs = aheadOf(error);
  if (!isTold(error) && !isWordless(error, aheadMs)) return undefined;
  if (aheadMs !== undefined && Math.abs(aheadMs) < agreeingMs) return undefined;
  if (aheadMs === undefined) return 'the clocks of this host and of the storage differ too much';
  const minutes = Math.round(Math.abs(aheadMs) / 60_000);
  return `the clock of this host is ${minutes} minutes ${aheadMs > 0 ? 'ahead of' : 'behind'} the storage's`;
}

/** The service that hands out roles has other words. */
function isTold({ name, message }: S3ServiceException): boolean {
  return name === 'RequestTimeTooSkewed' || /signature (?:expired|not yet current)/i.test(message);
}

/** An answer to HEAD says nothing but when it was given. */
function isWordless({ name, $metadata }: S3ServiceException, aheadMs = 0): boolean {
  const wordless = ['403', 'Forbidden', 'Unknown', 'UnknownError'].includes(name);
  return wordless && $metadata.httpStatusCode === 403 && Math.abs(aheadMs) > refusedFromMs;
}

function aheadOf({ $response }: S3ServiceException): number | undefined {
  const answeredNs = nsOfHttpDate($response?.headers['date'] ?? '');
  return answeredNs === undefined ? undefined : Number((systemClock.nowNs() - answeredNs) / 1_000_000n);
}
