import { codes, type ErrorCode } from './codes.ts';

interface Details {
  /** What led to this error; kept for --verbose and for `isTransient`-like decisions. */
  readonly cause?: unknown;
  /** What the user should do next, where it can be more exact than the code's own text. */
  readonly next?: string;
  /** How long whoever refused asks to be left alone, where it said so. */
  readonly retryAfterMs?: number | undefined;
}

/**
 * The one error class. `message` says what happened, to what and where, and what is unharmed, without secrets.
 */
export class HoldfastError extends Error {
  override readonly name = 'HoldfastError';
  readonly code: ErrorCode;
  readonly next: string;
  readonly retryAfterMs: number | undefined;

  constructor(code: ErrorCode, message: string, details: Details = {}) {
    super(message, details.cause === undefined ? {} : { cause: details.cause });
    this.code = code;
    this.next = details.next ?? codes[code].next;
    this.retryAfterMs = details.retryAfterMs;
  }

  /** The exit code of a command that ends with this error. */
  get exitCode(): number {
    return codes[this.code].exit;
  }
}

/** True when `error` is a HoldfastError with one of these codes. */
export function hasCode(error: unknown, ...wanted: readonly ErrorCode[]): error is HoldfastError {
  return error instanceof HoldfastError && wanted.includes(error.code);
}
