import { randomBytes, scrypt } from 'node:crypto';
import { promisify } from 'node:util';
import type { Clock } from '../clock/clock.ts';
import { HoldfastError } from '../errors/error.ts';
import type { RepositoryKey } from './seal.ts';

/** scrypt's cost (RFC 7914): N rounds over blocks of 128·r bytes, p times. */
export interface ScryptParams {
  readonly N: number;
  readonly r: number;
  readonly p: number;
}

export interface Derivation extends ScryptParams {
  readonly salt: Uint8Array;
}

export const saltLength = 64;

const maxMemoryBytes = 2 ** 30;
/** Memory times passes: about half a minute on a slow core. A key calibrated on any machine is far below. */
const maxWorkBytes = 16 * 2 ** 30;

const scryptAsync = promisify<string | Uint8Array, Uint8Array, number, object, Buffer>(scrypt);

/**
 * The key that a password gives under these parameters, in a pool thread. Parameters come from a key file that
 * anyone may have written: fails with `refused` where they ask for too much memory or time.
 */
export async function deriveKey(password: string | Uint8Array, derivation: Derivation): Promise<RepositoryKey> {
  checkParams(derivation);
  const derived = await runScrypt(password, derivation);
  return { encrypt: derived.subarray(0, 32), macK: derived.subarray(32, 48), macR: derived.subarray(48, 64) };
}

async function runScrypt(password: string | Uint8Array, { N, r, p, salt }: Derivation): Promise<Buffer> {
  return scryptAsync(password, salt, 64, { N, r, p, maxmem: 128 * r * (N + p) + 2 ** 20 });
}

function checkParams({ N, r, p, salt }: Derivation): void {
  const whole = [N, r, p].every((value) => Number.isSafeInteger(value) && value > 0);
  if (!whole || N < 2 || !Number.isInteger(Math.log2(N)) || salt.length !== saltLength) {
    throw new HoldfastError('damaged', `a key file has impossible scrypt parameters: N=${N} r=${r} p=${p}`);
  }
  if (128 * r * (N + p) > maxMemoryBytes || 128 * r * N * p > maxWorkBytes) {
    throw new HoldfastError(
      'refused',
      `a key file asks for more than 1 GiB of memory or 16 GiB of work: scrypt N=${N} r=${r} p=${p}`,
    );
  }
}

interface Budget {
  readonly timeMs: number;
  readonly memoryMiB: number;
}

/** What restic allows a key derivation. */
const resticBudget: Budget = { timeMs: 500, memoryMiB: 60 };

/** Where calibration stops on a clock that doesn't move. */
const maxPasses = 128;

/**
 * The hardest parameters within the budget on this machine, found as restic finds them: N from the memory, halved
 * while one pass takes too long; then p raised until the time is passed, and lowered by one. Takes a second or two.
 */
export async function calibrate(clock: Clock, budget: Budget = resticBudget): Promise<ScryptParams> {
  const r = 8;
  const measure = async (N: number, p: number): Promise<number> => {
    const start = clock.monotonicMs();
    await runScrypt('weakpassword', { N, r, p, salt: randomBytes(saltLength) });
    return clock.monotonicMs() - start;
  };
  let N = 2 ** (Math.ceil(Math.log2((budget.memoryMiB * 2 ** 20) / (128 * r))) - 1);
  let p = 1;
  let tookMs = await measure(N, p);
  while (tookMs > budget.timeMs && N > 2) tookMs = await measure((N /= 2), p);
  while (tookMs < budget.timeMs && p < maxPasses) tookMs = await measure(N, (p = nextPasses(p, tookMs, budget.timeMs)));
  return { N, r, p: Math.max(1, p - 1) };
}

/** Half the way to where the time measured points, at least one more. */
function nextPasses(p: number, tookMs: number, wantedMs: number): number {
  const best = Math.floor(wantedMs / Math.max(tookMs / p, 0.001));
  return best > p + 1 ? Math.floor((p + best) / 2) : p + 1;
}
