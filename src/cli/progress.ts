import type { Event, Listener, Progress } from '../events/events.ts';
import type { Context } from './context.ts';
import { formatBytes, formatSeconds } from './format.ts';

/** What a progress view knows when it draws. */
export interface ProgressState {
  readonly progress: Progress;
  readonly elapsedMs: number;
  /** Of that, what the present phase has taken so far: its rate and its end are told by it. */
  readonly phaseMs: number;
  readonly warnings: number;
  /** Undefined until there is something to tell from. */
  readonly remainingMs: number | undefined;
}

export interface ProgressView extends Disposable {
  /** Shows warnings, remembers progress, hands notes on. */
  readonly listener: Listener;
  readonly warnings: number;
}

interface ViewOptions {
  /** The record of a 'status' message; none when left out. */
  readonly status?: (state: ProgressState) => unknown;
  readonly onNote?: (event: Event & { readonly kind: 'note' }) => void;
  readonly onWarning?: (event: Event & { readonly kind: 'warning' }) => void;
}

/** Before anything is told. */
export const idle: Progress = { kind: 'progress', phase: '', doneBytes: 0, doneItems: 0 };

type Shown = Pick<Context, 'clock' | 'console' | 'environment' | 'listener'> & {
  readonly globals: Pick<Context['globals'], 'quiet'>;
};

/** Draws the progress of one operation until it is disposed of. */
export function showProgress(context: Shown, options: ViewOptions = {}): ProgressView {
  const { clock, console } = context;
  const started = clock.monotonicMs();
  const ended = new AbortController();
  let progress = idle;
  let phaseStarted = started;
  let warnings = 0;
  const state = (): ProgressState => {
    const [elapsedMs, phaseMs] = [clock.monotonicMs() - started, clock.monotonicMs() - phaseStarted];
    return { progress, elapsedMs, phaseMs, warnings, remainingMs: remaining(progress, phaseMs) };
  };
  const draw = (): void => {
    if (console.form === 'json') {
      if (options.status !== undefined) console.record(options.status(state()));
    } else if (progress !== idle) console.status(statusLines(state()));
  };
  const intervalMs = drawIntervalMs(context);
  if (intervalMs !== undefined) void drawing(context, intervalMs, ended.signal, draw);
  return {
    listener: (event) => {
      if (event.kind === 'progress') {
        if (event.phase !== progress.phase) phaseStarted = clock.monotonicMs();
        progress = event;
      } else if (event.kind === 'note') options.onNote?.(event);
      else {
        warnings += 1;
        (options.onWarning ?? context.listener)(event);
      }
    },
    get warnings() {
      return warnings;
    },
    [Symbol.dispose]: () => {
      if (ended.signal.aborted) return;
      ended.abort();
      if (intervalMs === undefined) return;
      if (console.form === 'json') draw();
      else if (console.terminal !== undefined) console.status([]);
    },
  };
}

async function drawing(
  { clock }: Pick<Context, 'clock'>,
  intervalMs: number,
  ended: AbortSignal,
  draw: () => void,
): Promise<void> {
  while (!ended.aborted) {
    draw();
    try {
      await clock.sleep(intervalMs, ended);
    } catch (error) {
      if (!ended.aborted) throw error;
    }
  }
}

/** restic's rule: RESTIC_PROGRESS_FPS beats all; else ten times a second on a terminal and in JSON, unless --quiet. */
function drawIntervalMs({ environment, console, globals }: Omit<Shown, 'clock' | 'listener'>): number | undefined {
  const wanted = Number(environment['RESTIC_PROGRESS_FPS']);
  if (wanted > 0) return 1000 / Math.min(60, wanted);
  const seen = console.form === 'json' || console.terminal !== undefined;
  return seen && !globals.quiet ? 100 : undefined;
}

/** Whether anybody sees how far an operation is. */
export function isProgressSeen(context: Context): boolean {
  return drawIntervalMs(context) !== undefined;
}

/** A member of a record, left out when it is 0: so restic writes its 'status' and 'summary'. */
export function nonZero(name: string, value: number): Readonly<Record<string, number>> {
  return value === 0 ? {} : { [name]: value };
}

function remaining({ doneBytes, totalBytes, remainingMs }: Progress, phaseMs: number): number | undefined {
  if (remainingMs !== undefined) return remainingMs;
  if (totalBytes === undefined || doneBytes === 0 || doneBytes > totalBytes) return undefined;
  return (phaseMs * (totalBytes - doneBytes)) / doneBytes;
}

function statusLines(state: ProgressState): readonly string[] {
  const { progress, elapsedMs, phaseMs, warnings, remainingMs } = state;
  const { phase, doneBytes, totalBytes, doneItems, totalItems, current = [] } = progress;
  const fraction = fractionOf(progress);
  const parts = [
    `[${formatSeconds(elapsedMs / 1000)}] ${phase}`,
    ...(fraction === undefined ? [] : [`${bar(fraction)} ${(fraction * 100).toFixed(1)} %`]),
    ...(remainingMs === undefined ? [] : [`ETA ${formatSeconds(remainingMs / 1000)}`]),
    ...(doneBytes > 0 ? [`${formatBytes(Math.round((doneBytes * 1000) / Math.max(1, phaseMs)))}/s`] : []),
    ...(doneBytes > 0 ? [sized(doneBytes, totalBytes)] : []),
    amount(doneItems, totalItems),
    ...(warnings > 0 ? [`${warnings} warnings`] : []),
  ];
  return [parts.join('  '), ...current.map((name) => `  ${name}`)];
}

function fractionOf({ doneBytes, totalBytes, doneItems, totalItems }: Progress): number | undefined {
  if (totalBytes !== undefined && totalBytes > 0) return Math.min(1, doneBytes / totalBytes);
  if (totalItems !== undefined && totalItems > 0) return Math.min(1, doneItems / totalItems);
  return undefined;
}

function bar(fraction: number): string {
  const full = Math.round(fraction * 20);
  return `${'█'.repeat(full)}${'░'.repeat(20 - full)}`;
}

function amount(done: number, total: number | undefined): string {
  return total === undefined ? `${done}` : `${done} of ${total}`;
}

function sized(done: number, total: number | undefined): string {
  return total === undefined ? formatBytes(done) : `${formatBytes(done)} of ${formatBytes(total)}`;
}
