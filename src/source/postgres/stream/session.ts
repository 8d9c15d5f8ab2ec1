import type { Clock } from '../../../clock/clock.ts';
import { lsnText, parseLsn } from '../lsn.ts';
import type { Conversation } from '../connect.ts';
import type { LogServer } from './log-server.ts';
import { readMessage, standbyStatus } from './message.ts';

/**
 * How often the server hears how far we are, whatever the places do: it ends a connection that is silent for
 * wal_sender_timeout, which may be a few seconds.
 */
const statusMs = 1_000;

/** A server that has nothing to send is asked whether it lives; its answer is also what makes idle time count as safe. */
const pingMs = 500;

export interface SessionOptions {
  readonly slot: string;
  readonly epoch: number;
  readonly from: bigint;
  readonly clock: Clock;
  readonly signal: AbortSignal;
  /** Takes a part of the log; what comes next waits for it. */
  readonly onLog: (from: bigint, bytes: Uint8Array) => Promise<void>;
  /** At this moment the server's log ended there. */
  readonly onServerEnd: (end: bigint) => void;
  readonly onStart: () => void;
  readonly position: () => { readonly written: bigint; readonly flushed: bigint };
  /** Called at each status. */
  readonly onStatus: () => void;
}

/** The next timeline, and where it begins. */
export interface NextTimeline {
  readonly epoch: number;
  readonly at: bigint;
}

/** Streams one timeline to its end, which a current one hasn't; resolves with the next. */
export async function streamTimeline(
  { replication }: LogServer,
  options: SessionOptions,
): Promise<NextTimeline | undefined> {
  const { slot, epoch, from, clock, signal } = options;
  const talk = replication.converse(`START_REPLICATION SLOT "${slot}" PHYSICAL ${lsnText(from)} TIMELINE ${epoch}`);
  const over = new AbortController();
  const state: State = { isCopying: false, heardMs: clock.monotonicMs() };
  const telling = tell(talk, state, options, AbortSignal.any([signal, over.signal]));
  try {
    return await listen(talk, state, options);
  } finally {
    over.abort();
    await telling;
  }
}

interface State {
  isCopying: boolean;
  heardMs: number;
}

async function listen(talk: Conversation, state: State, options: SessionOptions): Promise<NextTimeline | undefined> {
  let next: NextTimeline | undefined;
  for await (const answer of talk.answers) {
    state.heardMs = options.clock.monotonicMs();
    if (answer.kind === 'copy-start') {
      state.isCopying = true;
      options.onStart();
    } else if (answer.kind === 'bytes') await hear(answer.bytes, talk, options);
    else if (answer.kind === 'copy-end') {
      state.isCopying = false;
      talk.end();
    } else if (answer.kind === 'row') {
      const [timeline, at] = answer.values;
      if (typeof at === 'string') next = { epoch: Number(timeline), at: parseLsn(at) };
    }
  }
  return next;
}

async function hear(bytes: Uint8Array, talk: Conversation, options: SessionOptions): Promise<void> {
  const message = readMessage(bytes);
  if (message.kind === 'log') {
    options.onServerEnd(message.serverEnd);
    await options.onLog(message.from, message.bytes);
    return;
  }
  options.onServerEnd(message.serverEnd);
  if (message.reply === 'at once') say(talk, options, 'not wanted');
}

/** While a place keeps us from reading, too. */
async function tell(talk: Conversation, state: State, options: SessionOptions, signal: AbortSignal): Promise<void> {
  const { clock } = options;
  while (!signal.aborted) {
    if (state.isCopying) say(talk, options, clock.monotonicMs() - state.heardMs >= pingMs ? 'wanted' : 'not wanted');
    options.onStatus();
    await clock.sleep(statusMs, signal).catch(() => undefined); // the session is over
  }
}

function say(talk: Conversation, { position, clock }: SessionOptions, reply: 'wanted' | 'not wanted'): void {
  talk.send(standbyStatus({ ...position(), timeNs: clock.nowNs(), reply }));
}
