import type { Clock } from '../clock/clock.ts';
import type { Listener } from '../events/events.ts';
import type { History } from '../log/log.ts';
import type { Repository } from '../repository/repository.ts';

/**
 * A repository that a component's log goes to, as its policy has it. What is there of the log is `openLog`'s business
 * (log/store.ts).
 */
export interface LogPlace {
  /** By its name in the policy. */
  readonly repository: string;
  /** Nothing counts as durable before every required place has it; one that isn't is filled when it can be. */
  readonly required: boolean;
  /** So long any moment can be brought back. */
  readonly windowMs: number;
  /**
   * Opens the repository; whoever asked disposes of it. Its key is derived once a command. Rejects while the place can't
   * be reached, and may be asked again after any failure.
   */
  open(): Promise<Repository>;
}

/** What every work on a component's log is handed. */
export interface LogWork {
  readonly component: string;
  /** In the policy's order, required ones and others. */
  readonly places: readonly LogPlace[];
  /** Where this host keeps what is only its own; a spool and a grant stand below it. */
  readonly stateFolder: string;
  readonly clock: Clock;
  readonly signal: AbortSignal;
  readonly listener: Listener;
}

export interface ArchiveWork extends LogWork {
  /** Of the server that hands its log over, on this host. */
  readonly dataDirectory: string;
  /** When more than this waits it is dropped, as a gap that is named: production goes on. Without it nothing is. */
  readonly mostQueuedBytes?: number | undefined;
  /** How what comes behind a gap is made of use again; undefined: by nobody here. */
  readonly baseBackups?: BaseBackups | undefined;
  /** Whether all this is still what is wanted; asked every second. Once it isn't the work ends, and can be begun anew. */
  readonly isStillWanted?: (() => Promise<boolean>) | undefined;
  /** Whether all notes are recorded that the listener was told so far; resolves once they are, or can't be. */
  readonly areRecorded?: (() => Promise<boolean>) | undefined;
}

/** Base backups of the component whose log it is. */
export interface BaseBackups {
  /** By which they are made. */
  readonly rule: string;
  /**
   * Whether what a stream of its log holds last follows none, and none began since a time (nanoseconds since 1970), which is as much as can
   * be done about it. Rejects where that can't be known just now.
   */
  readonly isDue: (sinceNs: bigint | undefined, stream: string) => Promise<boolean>;
  /** Starts one aside; what it says goes to the end of this file. It outlives whoever started it. */
  readonly start: (logPath: string) => { readonly isRunning: () => boolean };
}

export interface FetchWork extends ArchiveWork {
  /** As the server names it. */
  readonly file: string;
  /** Where it is to stand; absolute. */
  readonly target: string;
}

/** What a kind of source can do with its component's log; each is undefined where it can't. */
export interface LogDriver {
  /** A position as people of its kind write it, `0/2000138`. */
  readonly positionText: (position: bigint) => string;
  /** What the file of an epoch tells of those it comes from, oldest last; none where it can't be read. */
  readonly ancestry?: (history: History) => readonly History[];
  /**
   * Follows the log as it is written, until it is aborted. What it has told the server to be safe is durable in every
   * required place. Throws 'source-failed' where the server can't be followed any more.
   */
  readonly stream?: (work: LogWork, options: StreamOptions) => Promise<void>;
  /**
   * Stores what the server of a data directory hands over, each file in every required place, until there is nothing more
   * to do, or at once where another process of this host does. 'refused' where the directory may not write the log.
   */
  readonly archive?: (work: ArchiveWork) => Promise<void>;
  /**
   * Fetches a file of the log for the server of a data directory that recovers. 'absent' only where every place was asked
   * and answered; anything else that keeps it from being delivered is thrown.
   */
  readonly fetch?: (work: FetchWork) => Promise<'delivered' | 'absent'>;
  /** Has what the server asks for, and what follows it, ready beside its target; ends when that takes no more. */
  readonly fetchAhead?: (work: FetchWork) => Promise<void>;
}

export interface StreamOptions {
  /** When the server has to keep more than this for us, it is let go, as a gap: its disk is production's. */
  readonly mostLagBytes?: number | undefined;
  /** Resolves once all up to this position, as the source writes positions, is durable in every required place. */
  readonly until?: string | undefined;
}
