import { HoldfastError } from '../errors/error.ts';
import type { StorageSettings } from './settings.ts';
import type { Storage } from './storage.ts';
import type { Throttles } from './throttle.ts';

/** What a driver gets: the user's settings, and the limits on bytes as something to wait for. */
export interface DriverSettings extends StorageSettings {
  readonly throttles: Throttles;
  /** Ends the opening, and all that was begun for it; of no concern later. */
  readonly opening?: AbortSignal;
}

/** A kind of storage. */
export interface Driver {
  /** Loads its code and opens what follows the scheme and its colon. */
  readonly open: (address: string, settings: DriverSettings) => Promise<Storage>;
  /** 'driver': it takes its bytes from the throttles piece by piece; 'decorator': someone else must. */
  readonly throttledBy: 'driver' | 'decorator';
}

type OptionType = 'text' | 'number';
type OptionValues<T extends Readonly<Record<string, OptionType>>> = {
  readonly [K in keyof T]?: T[K] extends 'number' ? number : string;
};

/**
 * The options `<scheme>.<name>` that a driver knows, read; one that it doesn't know, or a number that is none, is
 * 'usage'. Options of other schemes are nobody's business here.
 */
export function driverOptions<const T extends Readonly<Record<string, OptionType>>>(
  scheme: string,
  known: T,
  given: StorageSettings['options'] = new Map(),
): OptionValues<T> {
  const found = new Map<string, string | number>();
  for (const [full, text] of given) {
    if (!full.startsWith(`${scheme}.`)) continue;
    const name = full.slice(scheme.length + 1);
    const type = known[name];
    if (type === undefined) throw unknown(full, scheme, Object.keys(known));
    found.set(name, type === 'number' ? positive(full, text) : text);
  }
  // The mapped type says per name what was read; Object.fromEntries can't express it.
  return Object.fromEntries(found) as OptionValues<T>;
}

function positive(name: string, text: string): number {
  if (/^[1-9]\d{0,5}$/.test(text)) return Number(text);
  throw new HoldfastError('usage', `the option ${name} takes a positive number, not ${JSON.stringify(text)}`);
}

function unknown(name: string, scheme: string, known: readonly string[]): HoldfastError {
  const all = known.map((one) => `${scheme}.${one}`).join(', ');
  return new HoldfastError('usage', `there is no option ${name}; there are ${all}`);
}
