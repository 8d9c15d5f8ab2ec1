import type { BlobId, RawPath } from '../bytes/ids.ts';
import type { Clock } from '../clock/clock.ts';
import type { Listener } from '../events/events.ts';
import type { Extent } from '../log/log.ts';
import type { Content, StoredContent } from '../repository/content.ts';
import type { Entry, Metadata } from '../snapshot/entry.ts';
import type { ExternalPoints } from './external.ts';
import type { Extraction } from './extraction.ts';
import type { LogDriver } from './log.ts';
import type { Loading } from './loading.ts';
import type { Lacking } from './probe.ts';
import type { RecoveryDriver } from './recovery.ts';
import type { Secret } from '../secret/secret.ts';
import type { Rehearsal } from './rehearsal.ts';
import type { PolicySecret } from './secret-reference.ts';
import type { Setup } from './setup.ts';

/**
 * What a component has that goes into a repository. Every driver keeps what is promised here, which a suite proves
 * (conformance.test.ts); nothing outside this room asks for a source's kind.
 */
export interface Source {
  /**
   * Walks what is to be backed up, in the order that Entry demands; twice the same of what didn't change. What can't be
   * read, in whole or in part, is told as a 'warning' event during 'scan', one for each item, and the walk goes on: each
   * makes the outcome a partial one. A source that can't go on at all throws 'source-failed', as does one that finds
   * nothing, unless its options allow it, and the stream of a content whose producer failed: then no snapshot may be
   * written. Errors name the component. No secret is in them, in events or in entries. An abort ends it soon, with the
   * signal's reason, and leaves nothing running.
   */
  entries(options: WalkOptions): AsyncIterable<Entry>;
  /** An estimate for the progress bar; may run beside `entries`, and may be abandoned at any time. */
  measure?(options: WalkOptions): Promise<{ readonly files: number; readonly bytes: number }>;
  /**
   * Where the backup stands in the component's log, once `entries` came to their end; undefined where it has none. Its
   * snapshot carries it as the tag `hf.log=`.
   */
  position?(): LogPosition | undefined;
  /**
   * Loads the code that `entries` needs, best while the repository is opened; asks nothing of what is backed up. Of one that
   * has it each backup has content which no earlier one had, so that whoever stores it gets ready before the first comes.
   */
  prepare?(): Promise<void>;
}

/** What has to be replayed at least: from where the backup began to where it is consistent. */
export interface LogPosition extends Extent {
  readonly stream: string;
}

export interface WalkOptions {
  readonly listener: Listener;
  readonly signal: AbortSignal;
  /** What the newest backup before this one that has an absolute path holds there, as far as anybody can tell. */
  readonly heldBefore?: ((path: RawPath) => Promise<'files' | 'no files' | 'nothing known'>) | undefined;
  /** How long the first chunk was of what stood at a path of the parent snapshot, where it had several. */
  readonly cutBefore?: ((path: RawPath) => Promise<number | undefined>) | undefined;
  /** What the parent snapshot holds; undefined where there is none. */
  readonly parent?: ParentFiles | undefined;
  /**
   * Stores a content whose bytes come before its entry can: that one then says 'stored'. Resolves once it is read to
   * its end, and calls may overlap. Undefined where nothing is stored of what is walked.
   */
  readonly store?: (content: Content) => Promise<StoredContent>;
}

/** Files of the parent snapshot. What can't be read of it counts as not there. */
export interface ParentFiles {
  /** Cheap as long as paths are asked for folder by folder, in the order of their names. */
  find(path: RawPath): Promise<ParentFile | undefined>;
  /** The bytes of a file; 'path-not-found', or what went wrong. */
  read(path: RawPath): AsyncIterable<Uint8Array>;
  /** The bytes of one of a file's chunks. */
  chunk(id: BlobId): Promise<Uint8Array>;
}

export interface ParentFile extends Pick<Metadata, 'sizeBytes' | 'mtimeNs' | 'ctimeNs' | 'inode' | 'deviceId'> {
  /** undefined where some of them are not in the repository any more. */
  readonly ids: readonly BlobId[] | undefined;
  /** How long the first of several chunks was. */
  readonly cutBytes: number | undefined;
}

/** A component's source, and what it can do; each capability is undefined where it can't. */
export interface OpenedSource {
  /** What goes into a repository. */
  readonly source?: Source;
  /** What it holds in places of its own. */
  readonly external?: ExternalPoints;
  /** Absolute: what the snapshot is said to be of. */
  readonly paths: readonly RawPath[];
  /** For people; the source has its own. */
  readonly excludes: readonly string[];
  /** What is not there now of what a backup needs. It asks, changes nothing, and takes as long as an answer takes. */
  readonly probe?: (options: WalkOptions) => Promise<readonly Lacking[]>;
  /** What it can do with the component's log. */
  readonly log?: LogDriver;
  /** How what was restored is brought to a moment between backups. */
  readonly recovery?: RecoveryDriver;
  /** How what was restored is brought up in a sandbox, where the component says so. */
  readonly rehearsal?: Rehearsal | undefined;
  /** Sets its server up for backups, where it has one that can be asked. */
  readonly setup?: Setup;
  /** How parts of it are taken out of a moment, into a live system. */
  readonly extraction?: Extraction;
  /** How a point of it is loaded into a live system, beside what runs there. */
  readonly loading?: Loading | undefined;
  /** The live paths that a restore can replace as a whole; undefined where it takes more than that. */
  readonly inPlace?: readonly RawPath[];
}

/** Where and when a source is opened. */
export interface Surroundings {
  readonly component: string;
  readonly clock: Clock;
  /** How a rule wants it backed up; undefined where it doesn't say. A kind throws 'unsupported' for one that it can't. */
  readonly method?: string | undefined;
  /** Reads a secret where it is used; 'refused' where it can't be had. */
  readonly readSecret: (reference: PolicySecret, signal: AbortSignal) => Promise<Secret>;
  /** Folders that are never backed up: our own cache. */
  readonly leftOut: readonly RawPath[];
}
