import { hasCode, HoldfastError } from '../errors/error.ts';
import { errorCode } from '../host/system-error.ts';
import { withoutSecrets } from '../secret/redact.ts';
import type { Console } from './console.ts';

/** Shows what ended a command, and gives its exit code. */
export function reportFailure(
  error: unknown,
  signal: AbortSignal,
  console: Pick<Console, 'complain' | 'verbosity'>,
): number {
  const failure = asHoldfastError(signal.aborted && !isOf(error, signal) ? signal.reason : error);
  const lines = [
    `holdfast: ${failure.at === undefined ? '' : `${failure.at}: `}${failure.message}`,
    `  ${failure.next}`,
    `  (${failure.code}: docs/errors/${failure.code}.md)`,
  ];
  if (console.verbosity >= 2) lines.push(...causes(failure));
  console.complain(lines.join('\n'), {
    message_type: 'exit_error',
    code: failure.exitCode,
    message: failure.message,
    at: failure.at,
    error_code: failure.code,
    next: failure.next,
  });
  return failure.exitCode;
}

/** Whether it says of this very interruption what is to be done. */
function isOf(error: unknown, { reason }: AbortSignal): boolean {
  return hasCode(error, 'interrupted') && error.cause === reason;
}

/** Whether the command was stopped because what reads its output has ended. */
export function isOutputClosed({ reason }: AbortSignal): boolean {
  return reason instanceof Error && errorCode(reason.cause) === 'EPIPE';
}

/** Exit code 3: what was not done has been told item by item. restic says it in this form too. */
export function reportPartly(console: Console, message = 'done in part: see the warnings above'): void {
  console.complain(`holdfast: ${message}`, { message_type: 'exit_error', code: 3, message });
}

function asHoldfastError(error: unknown): HoldfastError {
  if (error instanceof HoldfastError) return error;
  return new HoldfastError(
    'internal',
    withoutSecrets(error instanceof Error ? (error.stack ?? error.message) : String(error)),
    {
      cause: error,
    },
  );
}

/** What led to it, innermost last: others' words, most of them. */
function causes(error: Error): readonly string[] {
  const { cause } = error;
  return cause instanceof Error ? [`  because: ${withoutSecrets(cause.message)}`, ...causes(cause)] : [];
}
