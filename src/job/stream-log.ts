import { HoldfastError } from '../errors/error.ts';
import type { Event, Note } from '../events/events.ts';
import type { Component } from '../policy/policy.ts';
import type { ComponentContext } from './component.ts';
import { logWork } from './log-places.ts';
import { openSource } from './open-source.ts';

export interface StreamLogOptions {
  readonly name: string;
  readonly component: Component;
  /** A position as its source writes it: ends once all up to there is durable. */
  readonly until?: string | undefined;
}

/** What is recorded of a log that is followed: its beginning and end, and whatever breaks what can be replayed. */
const recordedNotes: readonly string[] = ['log-began', 'log-gap', 'log-epoch', 'log-slot-created', 'base-backup-due'];

/**
 * Follows a component's log until it is aborted, or `until` is durable. 'refused' where its policy doesn't stream it,
 * 'unsupported' where its source can't.
 */
export async function streamLog(context: ComponentContext, options: StreamLogOptions): Promise<void> {
  const { name, component, until } = options;
  const stream = openSource(context, name, component).log?.stream;
  if (stream === undefined) throw new HoldfastError('unsupported', `${name} has no log that could be streamed`);
  const mostLagBytes = streamedLog(name, component);
  const recording = recordingNotes(context, name);
  const work = { ...logWork(context, name, component), listener: recording.listener };
  let outcome: Readonly<Record<string, unknown>> = { outcome: 'done' };
  try {
    await stream(work, { until, mostLagBytes });
  } catch (error) {
    outcome = context.signal.aborted ? { outcome: 'interrupted' } : failure(error);
    throw error;
  } finally {
    await recording.settled();
    if (recording.hasBegun())
      await context.recording?.record({ kind: 'log', component: name, data: { action: 'ended', ...outcome } });
  }
}

function failure(error: unknown): Readonly<Record<string, unknown>> {
  const known = error instanceof HoldfastError ? error : undefined;
  return { outcome: 'failed', error: known?.code ?? 'internal', message: known?.message ?? 'a defect of Holdfast' };
}

function streamedLog(name: string, { log }: Component): number | undefined {
  if (log?.mode === 'stream') return log['slot-max-lag'];
  const wants = log === undefined ? 'has no `log:`' : `has \`log: { mode: ${log.mode} }\``;
  throw new HoldfastError('refused', `${name} ${wants}, and only a log of mode stream is streamed`, {
    next: 'Give it `log: { mode: stream, to: … }` in the policy. Nothing was changed.',
  });
}

interface NoteRecording {
  readonly listener: ComponentContext['listener'];
  readonly settled: () => Promise<void>;
  readonly hasBegun: () => boolean;
}

/** In the order in which they came; a record that can't be written waits on this host, and holds nothing up. */
function recordingNotes({ recording, listener }: ComponentContext, component: string): NoteRecording {
  let last = Promise.resolve();
  let begun = false;
  const note = async ({ name, data }: Note): Promise<void> =>
    await recording?.record({ kind: 'log', component, data: { action: name, ...data } });
  return {
    listener: (event: Event) => {
      listener(event);
      if (event.kind !== 'note' || !recordedNotes.includes(event.name)) return;
      begun ||= event.name === 'log-began';
      last = last.then(async () => await note(event));
    },
    settled: async () => await last,
    hasBegun: () => begun,
  };
}
