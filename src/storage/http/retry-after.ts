import { nsOfHttpDate } from '../../clock/date.ts';

/** What a Retry-After asks for: seconds, or a date, which is held against the server's own `date` where that is known. */
export function retryAfterMs(
  header: (name: string) => string | undefined,
  nowNs: bigint,
): { readonly retryAfterMs?: number } {
  const text = header('retry-after')?.trim() ?? '';
  if (/^\d{1,9}$/.test(text)) return { retryAfterMs: Number(text) * 1000 };
  const untilNs = nsOfHttpDate(text);
  if (untilNs === undefined) return {};
  const ms = Number((untilNs - (nsOfHttpDate(header('date') ?? '') ?? nowNs)) / 1_000_000n);
  return { retryAfterMs: Math.max(0, ms) };
}
