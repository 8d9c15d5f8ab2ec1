import type { RawPath } from '../bytes/ids.ts';
import type { HoldfastError } from '../errors/error.ts';
import type { LogWork } from './log.ts';

/**
 * How a component that stands on this host is replaced by what was brought to a moment beside it (recovery.ts). The order
 * is the job's: it is stopped, `key` is taken out of it, so that nothing starts it by accident, what its log has and no
 * place holds is rescued, which goes without `key`, what replaces it is brought to the moment, they change places, and `key` is put in last of all.
 * What was replaced is kept as it stood until a person gives it up.
 */
export interface InPlaceDriver {
  /** Below the folder of a restore: the file that says where it stood. */
  readonly description: RawPath;
  /** Below the folder of a restore: what takes the place. */
  readonly within: string;
  /** Below the folder of a restore: what stands elsewhere, by the name that a replay moves it by. */
  storedAt(from: string): string;
  /** With what the name of a folder within the place begins, so that its backups leave it out with all that is in it. */
  readonly unseen: string;
  /** Below the place: what nothing starts without. */
  readonly key: string;
  /**
   * Where it is put and what that costs, by the description restored to a folder. 'refused' where something else stands
   * there, but not for what a restore over it has left there half done.
   */
  look(folder: string, signal: AbortSignal, isHalfOver: (place: string) => boolean): Promise<Seat>;
  /** 'refused' where what stands at the place is another one than the log is of, or follows one. */
  assertOurs(place: string, stream: string): Promise<void>;
  /** What has it store the newest of its log while it runs, for people. */
  readonly handOver: string;
  /** What runs at the place, or may run there; undefined where nothing does. */
  obstacle(place: string): Promise<Obstacle | undefined>;
  /** 'refused' while what stands at the place runs, or may run. */
  assertStopped(place: string): Promise<void>;
  /**
   * Stores what the log at a place has and the places of the log lack, the part of it included that is still written, each
   * under its own epoch. Throws where not one place has taken all of it; of any other that has not, a warning tells.
   */
  rescue(work: LogWork, from: RescueFrom): Promise<Rescued>;
  /**
   * Makes what was brought to a moment in a folder ready for the place: its settings are those that are in force there,
   * what it refers to is where it will be. Called again it does what is left to do.
   */
  adopt(folder: string, seat: Pick<Seat, 'place' | 'others'>, signal: AbortSignal): Promise<void>;
  /** The epoch that goes on once a `key` that was taken out is put in again; undefined where it doesn’t tell. */
  goesOnAs(key: string): Promise<number | undefined>;
  /**
   * Whether what stands at the place now has this host's word that it writes the component's log. Where that is gone, or
   * doesn't tell any more what it is: whether the word was for what stood just there.
   */
  mayWrite(stateFolder: string, stood: RescueFrom): Promise<boolean>;
  /** Why it may not, and what a person does about it; undefined where what stands at the place now has that word. */
  whyNotWriting(stateFolder: string, place: string): Promise<string | undefined>;
  /**
   * Gives that word to what stands there now, and has nothing believed that was noted for what stood there before; resolves
   * with what of such notes is left, for it is another user's.
   */
  takeOver(work: Pick<LogWork, 'stateFolder' | 'clock' | 'signal'>, place: string): Promise<readonly string[]>;
  readonly over: OverDriver;
}

export interface Obstacle {
  /** Whether it was seen that it runs; else something says so that may have been left behind. */
  readonly isSeen: boolean;
  /** 'refused'. */
  readonly error: HoldfastError;
}

/**
 * How it is restored over what stands there, file by file, with nothing kept. All but `key` is written by `extent`, it is
 * prepared, `key` is written, and it is replayed in the place itself; `key` is taken out, it is finished, and `key` is put
 * in. From `prepare` to `finish` what stands there starts by nobody else’s command, with `key` in it or without.
 */
export interface OverDriver {
  /**
   * Of the place alone, as it is before anything is overwritten: it holds for whichever backup is restored over it then.
   * Changes nothing. 'refused' where nothing of its kind stands there, what stands there leads elsewhere, or the
   * others aren’t its own.
   */
  extent(seat: Pick<Seat, 'place' | 'others'>): Promise<OverExtent>;
  /** With what stands elsewhere by the backup that is restored now. Changes nothing. 'refused' where that leads elsewhere. */
  withOthers(extent: OverExtent, others: Seat['others']): Promise<OverExtent>;
  /** Whether what stands there has its `key`, and isn’t between `prepare` and `finish`: anybody may have started it. */
  isWhole(place: string): boolean;
  /** Resolves once nothing of ours runs there any more that a kill has left; 'refused' where it doesn't end. */
  settle(place: string, work: Pick<LogWork, 'clock' | 'signal'>): Promise<void>;
  /** `folder` is that of a replay, and leads to the place. Called again it does what is left to do. */
  prepare(folder: string, seat: Pick<Seat, 'place' | 'others'>): Promise<void>;
  finish(folder: string, place: string): Promise<void>;
}

/** What of a place is overwritten, and what isn't. */
export interface OverExtent {
  /** Paths below `within`, and the folder that each fills: the place itself first, with '' as its path. */
  readonly parts: readonly OverPart[];
  /** Paths below the place that stay as they are, with all below them. */
  readonly keeps: readonly string[];
}

export interface OverPart {
  readonly from: string;
  /** Absolute. */
  readonly to: string;
}

export interface RescueFrom {
  readonly place: string;
  readonly stream: string;
}

export interface Rescued {
  /** Parts of the log that some place lacked. */
  readonly stored: number;
  /** The newest epoch there, and up to where it is written; undefined where nothing of it can be read. */
  readonly end: RescuedEnd | undefined;
}

export interface RescuedEnd {
  readonly epoch: number;
  readonly at: bigint;
  /** Whence the epoch comes, as the place’s own file has it; undefined where it has none. */
  readonly origin?: Uint8Array;
}

export interface Seat {
  /** Absolute, without links. */
  readonly place: string;
  /** The epoch of the log that what stands there now writes; undefined where nothing tells. */
  readonly epoch: number | undefined;
  /** What nobody can tell any more of what stands there now, for people. */
  readonly doubts: readonly string[];
  /** What of it stands elsewhere, by the name that a replay moves it by. */
  readonly others: readonly OtherSeat[];
  /** What replacing it loses, and what is to be done afterwards, for people. */
  readonly afterwards: readonly string[];
}

export interface OtherSeat {
  /** `Replay.moved` names it so. */
  readonly from: string;
  /** The folder that it is in. */
  readonly location: string;
  /** Its name in there. */
  readonly name: string;
}
