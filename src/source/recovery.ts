import type { RawPath } from '../bytes/ids.ts';
import type { Clock } from '../clock/clock.ts';
import type { Listener } from '../events/events.ts';
import type { About, Extent } from '../log/log.ts';
import type { MomentAsked, Stop } from '../point/moment.ts';

/**
 * How a kind of source brings what was restored to a moment, by replaying its log. What is restored stands in a folder of
 * the component's name, below one that nobody else uses.
 *
 * The order is the job's: all but `last` is restored, `prepare` makes that ready, all of it is lasting, `last` is restored,
 * `replay` begins. Whatever a kill leaves before `replay` ended doesn't start by itself: without `last` it can't, and with
 * it, it waits for a log that nobody hands it.
 */
export interface RecoveryDriver {
  /** What nothing starts without. */
  readonly last: RawPath;
  /** As people of its kind write it; 'usage' where it is none. */
  parsePosition(text: string): bigint;
  /** What the log tells of a moment, and of the way there. */
  survey(asked: MomentAsked, log: LogReader): Promise<Survey>;
  prepare(replay: Replay): Promise<void>;
  /**
   * Brings it to the moment, and ends it in order; it neither archives nor follows nor listens, then or when it is
   * started again. 'source-failed' says why the moment wasn't reached, and what can be done.
   */
  replay(replay: Replay): Promise<Replayed>;
}

/** The log that a replay is handed. */
export interface LogFeed {
  /** In the order of the replay, to be read ahead. */
  readonly order: readonly Extent[];
  /** Of these bytes some at the end may be zeros, where no more is held. Undefined: it is certain that nobody holds it. */
  segment(epoch: number, from: bigint): Promise<Uint8Array | undefined>;
  /** As the source's own file says it. */
  history(epoch: number): Promise<Uint8Array | undefined>;
}

/** A feed whose parts can be asked what is in them. */
export interface LogReader extends LogFeed {
  /** Where the replay begins. */
  readonly from: bigint;
  /** Undefined where nothing was noted of it. */
  about(extent: Extent): Promise<About | undefined>;
}

export interface Survey {
  /** Where a replay stops: the first byte of what is the moment, or the first that is behind it. Undefined: it isn't there. */
  readonly stop: Stop | undefined;
  /** 'after': the moment, or something behind it, stands before the replay's beginning already. */
  readonly begins: 'before' | 'after';
  /** The last transaction that ends before the stop, or the end. */
  readonly last: Stop | undefined;
  /** What a replay up to the stop would do where it must not, for people. */
  readonly obstacles: readonly string[];
  /** How much of what the server must have room for; by names of its own. */
  readonly needs: Readonly<Record<string, number>>;
}

export interface Replay extends MomentAsked {
  /** Absolute: that of the component's name. */
  readonly folder: string;
  /** That to follow. */
  readonly epoch: number;
  readonly feed: LogFeed;
  readonly needs: Survey['needs'];
  /** What stood elsewhere, by where it was, and where it is put: an absolute path where nothing is. */
  readonly moved?: readonly { readonly from: string; readonly to: string }[] | undefined;
  readonly clock: Clock;
  readonly signal: AbortSignal;
  readonly listener: Listener;
}

export type Replayed =
  | {
      readonly state: 'recovered';
      /** Where it stopped, as the source says it. */
      readonly stopped: string;
      /** Of the last that was replayed; undefined where nothing was. */
      readonly position: bigint | undefined;
      /** When the last transaction was committed that is there, as the source says it. */
      readonly lastCommit: string | undefined;
      /** Of its own from now on. */
      readonly epoch: number | undefined;
      readonly seconds: { readonly replay: number; readonly finish: number };
    }
  /** All is there to be replayed, but nothing to do it with. */
  | { readonly state: 'prepared'; readonly reason: string; readonly next: string };
