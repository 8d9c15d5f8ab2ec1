import { listOf, textOf } from '../../bytes/fields.ts';
import type { Clock } from '../../clock/clock.ts';
import { HoldfastError } from '../../errors/error.ts';
import type { Listener } from '../../events/events.ts';
import { startProgram } from '../../host/process.ts';
import { errorCode, reasonOf } from '../../host/system-error.ts';
import { withoutSecrets } from '../../secret/redact.ts';
import type { StepCall, StepKind } from '../../plan/plan.ts';

export interface Running {
  readonly clock: Clock;
  readonly listener: Listener;
}

/**
 * Runs a command without a shell; only exit code 0 is a success. `arguments`: {run, undo, running, wanted}: lists of
 * words, of which `undo` and `running` may be empty. `running` tells whether the service runs by its exit code, and
 * `wanted` ('yes', 'no') whether it shall once the step is done.
 */
export function commanding(running: Running): StepKind {
  return {
    isDone: async (call) => {
      const words = wordsOf(call, 'running');
      if (words.length === 0) return 'unknown';
      const isRunning = (await ended(running, words, call.signal)).status === 'success';
      return isRunning === (call.step.arguments['wanted'] === 'yes') ? 'done' : 'not done';
    },
    run: async (call) => await succeed(running, wordsOf(call, 'run'), call.signal),
    undo: async (call) => await succeed(running, wordsOf(call, 'undo'), call.signal),
  };
}

function wordsOf({ step }: StepCall, key: 'run' | 'undo' | 'running'): readonly string[] {
  return listOf(step.arguments[key], step.key).map((word) => textOf(word, step.key));
}

export async function succeed(running: Running, words: readonly string[], signal: AbortSignal): Promise<void> {
  const { status, how } = await ended(running, words, signal);
  if (status === 'failure') throw new HoldfastError('refused', `${words[0]} ended with ${how}`);
}

/** What it leaves running may hold its output open: only its own end is waited for. */
async function ended(
  { clock, listener }: Running,
  [program = '', ...args]: readonly string[],
  signal: AbortSignal,
): Promise<{ readonly status: 'success' | 'failure'; readonly how: string }> {
  const onErrorLine = (line: string): void =>
    listener({ kind: 'note', name: 'command-said', data: { program, line: withoutSecrets(line) } });
  try {
    const options = { args, clock, signal, input: 'empty', interrupts: 'own-session', onErrorLine } as const;
    await using started = await startProgram(program, options);
    void drain(started.output);
    const end = await started.ended;
    signal.throwIfAborted();
    return end;
  } catch (cause) {
    if (errorCode(cause) === undefined) throw cause;
    throw new HoldfastError('refused', `${program} can’t be run: ${reasonOf(cause)}`, { cause });
  }
}

async function drain(output: AsyncIterable<Uint8Array>): Promise<void> {
  try {
    for await (const _bytes of output);
  } catch {
    // closed once the command has ended
  }
}
