import { HoldfastError } from '../../errors/error.ts';
import type { ThawTier, ThawWishes } from '../archive.ts';

const tiers: readonly ThawTier[] = ['Standard', 'Bulk', 'Expedited'];

/** restic's options and its defaults, and a price of one's own. `value` gives what `-o s3.<name>` says. */
export function thawWishes(
  value: (name: string) => string | undefined,
  permission: ThawWishes['permission'],
): ThawWishes {
  return {
    permission,
    days: daysOf(value('restore-days') ?? '7'),
    tier: tierOf(value('restore-tier') ?? 'Standard'),
    patienceMs: durationOf(value('restore-timeout') ?? '24h'),
    pricePerGib: priceOf(value('thaw-price')),
  };
}

function daysOf(text: string): number {
  const days = /^\d{1,4}$/.test(text) ? Number(text) : 0;
  if (days > 0) return days;
  throw new HoldfastError('usage', `s3.restore-days is a number from 1 to 9999, not ${JSON.stringify(text)}`);
}

function tierOf(text: string): ThawTier {
  const tier = tiers.find((one) => one.toLowerCase() === text.toLowerCase());
  if (tier !== undefined) return tier;
  throw new HoldfastError('usage', `s3.restore-tier is Standard, Bulk or Expedited, not ${JSON.stringify(text)}`);
}

const units: Readonly<Record<string, number>> = { h: 3_600_000, m: 60_000, s: 1000 };

/** As restic reads durations: `24h`, `1h30m`. */
function durationOf(text: string): number {
  const parts = [...text.matchAll(/(\d{1,6})([hms])/g)];
  const whole = /^(?:\d{1,6}[hms])+$/.test(text);
  const ms = parts.reduce((sum, [, count, unit = '']) => sum + Number(count) * (units[unit] ?? 0), 0);
  if (whole && ms > 0) return ms;
  throw new HoldfastError('usage', `s3.restore-timeout is a time such as 24h or 1h30m, not ${JSON.stringify(text)}`);
}

function priceOf(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  if (/^\d{1,6}(?:\.\d{1,9})?$/.test(text)) return Number(text);
  throw new HoldfastError('usage', `s3.thaw-price is what a GiB costs, such as 0.01, not ${JSON.stringify(text)}`);
}
