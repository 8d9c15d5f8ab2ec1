import { existsSync } from 'node:fs';
import { hasCode, HoldfastError } from '../errors/error.ts';

export interface Unfinished {
  readonly folder: string;
  /** What comes last of a restore: where it stands the same command is refused. */
  readonly last: string;
  readonly signal: AbortSignal;
}

/** Where an interruption leaves what can't be gone on with, it says so, instead of that the same command goes on. */
export async function sayingUnfinished<T>({ folder, last, signal }: Unfinished, body: () => Promise<T>): Promise<T> {
  try {
    return await body();
  } catch (error) {
    const reason: unknown = signal.reason;
    if (!hasCode(reason, 'interrupted') || !existsSync(last)) throw error;
    throw new HoldfastError('interrupted', reason.message, {
      cause: reason,
      next: `Restore into another, empty folder: ${folder} was restored, but its log not replayed to the end, and it is not taken for another try. Nothing live was changed.`,
    });
  }
}
