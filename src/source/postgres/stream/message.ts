import { HoldfastError } from '../../../errors/error.ts';

/** What the server sends while it streams its log. */
export type ServerMessage =
  /** `w`: the log from a position on. */
  | { readonly kind: 'log'; readonly from: bigint; readonly serverEnd: bigint; readonly bytes: Uint8Array }
  /** `k`: it lives, and has sent all up to `serverEnd`. */
  | { readonly kind: 'alive'; readonly serverEnd: bigint; readonly reply: 'at once' | 'in time' };

const [w, k, r] = [0x77, 0x6b, 0x72] as const;
const [logHeaderBytes, aliveBytes] = [25, 18] as const;

/** 'source-failed' for what the protocol of streaming replication doesn't have. */
export function readMessage(message: Uint8Array): ServerMessage {
  const view = new DataView(message.buffer, message.byteOffset, message.length);
  if (message[0] === w && message.length >= logHeaderBytes)
    return {
      kind: 'log',
      from: view.getBigUint64(1),
      serverEnd: view.getBigUint64(9),
      bytes: message.subarray(logHeaderBytes),
    };
  if (message[0] === k && message.length === aliveBytes)
    return {
      kind: 'alive',
      serverEnd: view.getBigUint64(1),
      reply: message[17] === 1 ? 'at once' : 'in time',
    };
  throw new HoldfastError('source-failed', 'the server sent what is no part of its log in the midst of it');
}

export interface StandbyStatus {
  /** Up to here it has come. */
  readonly written: bigint;
  /** Up to here it is durable: the server keeps nothing before it any more. 0 says nothing. */
  readonly flushed: bigint;
  readonly timeNs: bigint;
  /** Whether the server is to answer at once, so that it is known to live. */
  readonly reply: 'wanted' | 'not wanted';
}

/** Times are microseconds since 2000. */
const epochUs = 946_684_800_000_000n;

/** `r`. Nothing is ever applied; what isn't said can't be mistaken for it. */
export function standbyStatus({ written, flushed, timeNs, reply }: StandbyStatus): Uint8Array {
  const bytes = new Uint8Array(34);
  const view = new DataView(bytes.buffer);
  view.setUint8(0, r);
  view.setBigUint64(1, written);
  view.setBigUint64(9, flushed);
  view.setBigUint64(17, 0n);
  view.setBigInt64(25, timeNs / 1000n - epochUs);
  view.setUint8(33, reply === 'wanted' ? 1 : 0);
  return bytes;
}
