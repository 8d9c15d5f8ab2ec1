import { codes, type ErrorCode } from './codes.ts';

interface Details {
  /** What led to this error; kept for --verbose and for `isTransient`-like decisions. */
  readonly cause?: unknown;
  /** What the user should do next, where it can be more exact than the code's own text. */
  readonly next?: string;
  /** How long whoever refused asks to be left alone, where it said so. */
  readonly retryAfterMs?: number | undefined;
  /** Which of the places that take part failed, where there are several: for people, as the user calls it. */
  readonly at?: string | undefined;
}

/**
 * The one error class. `message` says what happened, to what and where, and what is unharmed, without secrets.
 */
export class HoldfastError extends Error {
  override readonly name = 'HoldfastError';
  readonly code: ErrorCode;
  readonly next: string;
  readonly retryAfterMs: number | undefined;
  readonly at: string | undefined;

  constructor(code: ErrorCode, message: string, details: Details = {}) {
    super(message, details.cause === undefined ? {} : { cause: details.cause });
    this.code = code;
    this.next = details.next ?? codes[code].next;
    this.retryAfterMs = details.retryAfterMs;
    this.at = details.at;
  }

  /** The exit code of a command that ends with this error. */
  get exitCode(): number {
    return codes[this.code].exit;
  }
}

/** What fails in this part of a work fails at this place, and says so; where a part of the part has said where, that stands. */
export async function failingAt<T>(at: string, part: () => Promise<T>): Promise<T> {
  try {
    return await part();
  } catch (error) {
    if (!(error instanceof HoldfastError) || error.at !== undefined) throw error;
    const { code, message, next, retryAfterMs } = error;
    throw new HoldfastError(code, message, { cause: error, next, retryAfterMs, at });
  }
}

/** True when `error` is a HoldfastError with one of these codes. */
export function hasCode(error: unknown, ...wanted: readonly ErrorCode[]): error is HoldfastError {
  return error instanceof HoldfastError && wanted.includes(error.code);
}

/** What is to be done after an error, where it is told beside something else: not that nothing was changed. '' where there is nothing. */
export function toBeDone({ next }: Pick<HoldfastError, 'next'>): string {
  return next.replace(/ ?Nothing was changed\.$/, '');
}
