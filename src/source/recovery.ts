import type { RawPath } from '../bytes/ids.ts';
import type { Clock } from '../clock/clock.ts';
import type { Listener } from '../events/events.ts';
import type { About, Extent, History } from '../log/log.ts';
import type { MomentAsked, Stop } from '../point/moment.ts';
import type { InPlaceDriver } from './in-place.ts';
import type { SetupWanted } from './setup.ts';

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
  /** What of its kind a folder is, or lies in, by its path: what is put there would become a part of it. */
  readonly standsIn: (folder: string) => string | undefined;
  /** As people of its kind write it; 'usage' where it is none. */
  parsePosition(text: string): bigint;
  /** What the log tells of a moment, and of the way there. */
  survey(asked: MomentAsked, log: LogReader): Promise<Survey>;
  /** How many bytes of the log stand beside what is restored at a time, at most: all of it where nothing on this host replays it. */
  roomForLog(of: Pick<Survey, 'version'>, logBytes: number, signal: AbortSignal): Promise<number>;
  prepare(of: Pick<Replay, 'folder' | 'moved' | 'signal'>): Promise<void>;
  /**
   * Brings it to the moment, and ends it in order; it neither archives nor follows nor listens, then or when it is
   * started again. 'source-failed' says why the moment wasn't reached, and what can be done.
   */
  replay(replay: Replay): Promise<Replayed>;
  /** How what was brought to a moment takes the place of what stands on this host; undefined where it can't. */
  readonly inPlace?: InPlaceDriver;
  /**
   * Makes what was prepared one that follows the living component once it is started: it hands over no log of its own, and
   * no secret is written. Resolves with what is left to a person, line by line. Undefined where it can't.
   */
  readonly follow?: (following: Following) => Promise<readonly string[]>;
  /** Whom it would follow, by that one's own word; 'source-failed' where it can't be asked. Undefined where it can't tell. */
  readonly leader?: (signal: AbortSignal) => Promise<Leader>;
}

/** One that lives, and is to be followed. */
export interface Leader {
  /** By which its log is told from those of others. */
  readonly stream: string;
  /** That it writes now. */
  readonly epoch: number;
  /** Whence that comes, and those before it, as far as it knows. */
  readonly histories: readonly History[];
}

export interface Following extends Pick<Replay, 'folder' | 'signal'> {
  /** How a server starts this very program; undefined where the component has no log to be fetched. */
  readonly fetching: Pick<SetupWanted, 'program' | 'stateFolder'> | undefined;
  /** Of the log: which epoch goes on, and those of which it is held whence they come. Undefined where nobody knows. */
  readonly epochs: { readonly living: number; readonly known: readonly number[] } | undefined;
}

/** The log that a replay is handed. */
export interface LogFeed {
  /** In the order of the replay, to be read ahead. */
  readonly order: readonly Extent[];
  /** Of these bytes some at the end may be zeros, where no more is held. Undefined: it is certain that nobody holds it. */
  segment(epoch: number, from: bigint): Promise<Uint8Array | undefined>;
  /** The same into a file, which is made or overwritten, and of no use where this rejects; its size. */
  segmentInto(epoch: number, from: bigint, path: string): Promise<number | undefined>;
  /** As the source's own file says it; empty for an epoch behind the one to follow that is held, and can't be read: its number is taken. */
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
  /** The source's own that wrote the log, and replays it; undefined where there is nothing to replay. */
  readonly version?: number | undefined;
  /** The last change that it saw whole: a replay of all there is gets there, else the log is not of one piece. */
  readonly end: bigint | undefined;
}

export interface Replay extends MomentAsked {
  /** Absolute: that of the component's name. */
  readonly folder: string;
  /** That to follow. */
  readonly epoch: number;
  readonly feed: LogFeed;
  readonly needs: Survey['needs'];
  /** Where a replay of all there is has to come to. */
  readonly end: Survey['end'];
  /**
   * 'the original': it takes the place of what it is of, whose settings stay; 'in its place': it stands there already, and
   * is left unfinished; a copy without a word.
   */
  readonly as?: 'a copy' | 'the original' | 'in its place' | undefined;
  /** Where `folder` leads by our own link, with 'in its place': any other link in there is 'damaged'. */
  readonly place?: string | undefined;
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
