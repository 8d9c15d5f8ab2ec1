/**
 * Sets a component's own server up for what the policy wants of it: looks, and says what is there, what is wanted, why, and
 * how it gets there. Nothing is changed but by `apply`. No secret is in what it says.
 */
export interface Setup {
  /** Changes nothing; 'source-failed' where the server can't be asked at all. */
  look(wanted: SetupWanted, signal: AbortSignal): Promise<SetupPlan>;
  /**
   * Does what one item of a plan says that is 'to apply'. It looks again first: what has changed meanwhile is 'refused'.
   * It lasts when this resolves, up to what `effect` says is still to come.
   */
  apply(item: SetupItem, wanted: SetupWanted, signal: AbortSignal): Promise<void>;
}

export interface SetupWanted {
  /** As the policy says; undefined where it wants none. */
  readonly log: { readonly mode: 'stream' | 'archive'; readonly everyMs: number | undefined } | undefined;
  /** How the server starts this very program: its absolute path, and the options that name the policy. */
  readonly program: { readonly path: string; readonly options: readonly string[] };
  readonly stateFolder: string;
  /** Needed elsewhere, before any log may come: shown in the plan, which waits for it. */
  readonly missing: readonly SetupItem[];
  /** Whether the log holds this stream already: then somebody writes, or has written, it. Asked only where that matters. */
  readonly heldStream: (stream: string) => Promise<HeldStream>;
  /** The data directory that takes the place of the one which has written the log so far. */
  readonly adopt: string | undefined;
  /** What belongs to others is never changed without being told so. */
  readonly foreign: 'kept' | 'replaced';
}

export type HeldStream =
  | { readonly state: 'not held' }
  /** `by` names the repository. */
  | { readonly state: 'held'; readonly by: string }
  | { readonly state: 'not known'; readonly reason: string };

export interface SetupPlan {
  /** What was looked at, for people. */
  readonly server: string;
  readonly items: readonly SetupItem[];
}

export interface SetupItem {
  /** Of its own within a plan, and the same from plan to plan: `wal_level`, `writer grant`. */
  readonly name: string;
  readonly state: SetupState;
  readonly found: string;
  readonly wanted?: string | undefined;
  readonly why?: string | undefined;
  /** When a change of it counts. Nothing restarts a server but a person. */
  readonly effect?: 'at once' | 'reload' | 'restart' | undefined;
  /** What is to be written where, or run where, for whoever does it by hand. */
  readonly lines?: { readonly where: string; readonly text: readonly string[] } | undefined;
}

/**
 * 'to apply' — Holdfast may do it. 'by hand' — it is needed, and only a person can. 'advice' — backups work without it.
 * 'unknown' — it could not be seen.
 */
export type SetupState = 'fine' | 'to apply' | 'by hand' | 'advice' | 'unknown';
