import type { ErrorCode } from '../../errors/codes.ts';
import { HoldfastError } from '../../errors/error.ts';
import type { WaitOptions } from '../storage.ts';

/** An answer, or why there is none. */
export type Answer<T> =
  | { readonly known: true; readonly answer: T }
  /** 'unsupported': the server knows no such thing, which is knowledge, too. */
  | { readonly known: false; readonly because: 'refused' | 'unsupported'; readonly why: string };

const fatal: readonly ErrorCode[] = ['storage-missing', 'clock-wrong', 'internal'];

/** What ends the whole examination is thrown: a bucket that isn't there, a clock that is wrong, an interruption. */
export async function ask<T>(question: Promise<T>, { signal }: WaitOptions): Promise<Answer<T>> {
  try {
    return { known: true, answer: await question };
  } catch (error) {
    signal?.throwIfAborted();
    if (!(error instanceof HoldfastError) || fatal.includes(error.code)) throw error;
    return { known: false, because: error.code === 'unsupported' ? 'unsupported' : 'refused', why: error.message };
  }
}
