import { refusal, wholeNumber } from './option.ts';

const units: Readonly<Record<string, number>> = { b: 1, k: 2 ** 10, m: 2 ** 20, g: 2 ** 30, t: 2 ** 40 };

/** `500`, `10k`, `3G`: powers of 1024, as restic reads sizes. */
export function sizeBytes(text: string, label: string): number {
  const match = /^(\d+)([bkmgt]?)$/i.exec(text);
  const bytes = match === null ? Number.NaN : Number(match[1]) * (units[(match[2] || 'b').toLowerCase()] ?? 1);
  if (!Number.isSafeInteger(bytes)) throw refusal(label, text, 'a size such as 500M');
  return bytes;
}

const spans: Readonly<Record<string, number>> = { ns: 1e-6, us: 1e-3, µs: 1e-3, ms: 1, s: 1e3, m: 6e4, h: 3.6e6 };

/** `90s`, `1h30m`, `1.5h`: Go's durations, in milliseconds. */
export function durationMs(text: string, label: string): number {
  if (text === '0') return 0;
  if (!/^(\d+(\.\d+)?(ns|us|µs|ms|s|m|h))+$/.test(text)) throw refusal(label, text, 'a duration such as 5m or 1h30m');
  const parts = text.matchAll(/(\d+(?:\.\d+)?)(ns|us|µs|ms|s|m|h)/g);
  return [...parts].reduce((sum, [, number, unit]) => sum + Number(number) * (spans[unit ?? ''] ?? 0), 0);
}

/** MiB as a plain number, `--pack-size`. */
export function packSizeBytes(text: string, label: string): number {
  const mebibytes = wholeNumber(text, label);
  if (mebibytes < 4 || mebibytes > 128) throw refusal(label, text, 'a number of MiB from 4 to 128');
  return mebibytes * 2 ** 20;
}
