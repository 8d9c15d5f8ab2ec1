import { countOf, textOf, type Fields } from '../../../bytes/fields.ts';
import { HoldfastError } from '../../../errors/error.ts';

export function readPlace(fields: Fields, what: string): { readonly lsn: bigint; readonly endLsn: bigint } {
  return { lsn: bigOf(fields['lsn'], what), endLsn: bigOf(fields['endLsn'], what) };
}

export function bigOf(value: unknown, what: string): bigint {
  const text = textOf(value, what);
  if (/^-?\d{1,30}$/.test(text)) return BigInt(text);
  throw new HoldfastError('damaged', `${what} is no number`);
}

export function numberOf(value: unknown, what: string): number {
  return countOf(value, 0xffff_ffff, what);
}

export function oneOf<T extends string>(known: readonly T[], value: unknown, what: string): T {
  const found = known.find((one) => one === value);
  if (found === undefined) throw new HoldfastError('damaged', `${what} is none of ${known.join(', ')}`);
  return found;
}

export function bytesOf(value: unknown, what: string): Uint8Array {
  return Buffer.from(textOf(value, what), 'base64');
}
