import type { ErrorCode } from '../../errors/codes.ts';
import { HoldfastError } from '../../errors/error.ts';
import { othersWords } from '../others-words.ts';
import type { PacketReader } from './packet.ts';

export const statusCodes = { ok: 0, eof: 1, noSuchFile: 2, permissionDenied: 3, failure: 4, unsupported: 8 } as const;

const meanings: Readonly<Record<number, ErrorCode>> = {
  [statusCodes.noSuchFile]: 'storage-not-found',
  [statusCodes.permissionDenied]: 'storage-denied',
  [statusCodes.unsupported]: 'unsupported',
};

/** A server's refusal, as it came. */
export class SftpRefusal extends HoldfastError {
  readonly status: number;

  constructor(status: number, message: string) {
    super(meanings[status] ?? 'storage-failed', message || `status ${status}`);
    this.status = status;
  }
}

/** The refusal in a status packet; undefined when all is well. */
export function refusalIn(packet: PacketReader): SftpRefusal | undefined {
  const status = packet.uint32();
  if (status === statusCodes.ok) return undefined;
  const words = packet.done ? '' : packet.string();
  return new SftpRefusal(status, othersWords(words));
}

export function hasStatus(error: unknown, ...wanted: readonly number[]): error is SftpRefusal {
  return error instanceof SftpRefusal && wanted.includes(error.status);
}
