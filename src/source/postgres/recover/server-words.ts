import { parseLsn } from '../lsn.ts';

/** What a server that replays its log has said of it. */
export interface Said {
  readonly restored: number;
  /** Where it is within the log; up to 14 it doesn't tell. */
  readonly redoingAt: bigint | undefined;
  readonly stopped: string | undefined;
  readonly redoneTo: bigint | undefined;
  readonly lastCommit: string | undefined;
  readonly timeline: number | undefined;
  /** It is open: the recovery is over. */
  readonly isOpen: boolean;
  readonly isShut: boolean;
  readonly errors: readonly string[];
}

const mostErrors = 20;

/** Reads the lines that it logs, in English and without a prefix. */
export class ServerWords {
  #said: Said = {
    restored: 0,
    redoingAt: undefined,
    stopped: undefined,
    redoneTo: undefined,
    lastCommit: undefined,
    timeline: undefined,
    isOpen: false,
    isShut: false,
    errors: [],
  };

  /** The last line that told something else than how long it takes. */
  #progress = '';

  get said(): Said {
    return this.#said;
  }

  /** Another text whenever it has come further. */
  get progress(): string {
    return this.#progress;
  }

  /** What is new in what it said. */
  hear(line: string): Partial<Said> {
    const told = this.#told(line);
    this.#progress = line.replace(/elapsed time: [\d.]+ s/, '');
    this.#said = { ...this.#said, ...told };
    return told;
  }

  #told(line: string): Partial<Said> {
    const [, level, text = ''] = /^(?:.*? )?(LOG|FATAL|PANIC|ERROR|HINT|DETAIL|WARNING): {2}(.*)$/.exec(line) ?? [];
    if (level === undefined) return {};
    if (level === 'LOG') return this.#logged(text);
    return { errors: [...this.#said.errors, `${level}: ${text}`].slice(-mostErrors) };
  }

  #logged(text: string): Partial<Said> {
    if (text.startsWith('restored log file')) return { restored: this.#said.restored + 1 };
    if (text.startsWith('recovery stopping')) return { stopped: text.slice('recovery '.length) };
    if (text.startsWith('database system is ready to accept connections')) return { isOpen: true };
    if (/^database system is shut down|^aborting startup/.test(text)) return { isShut: true };
    const [, redoing] = /^redo in progress, .* current LSN: ([0-9A-F]+\/[0-9A-F]+)/.exec(text) ?? [];
    if (redoing !== undefined) return { redoingAt: parseLsn(redoing) };
    const [, lsn] = /^redo done at ([0-9A-F]+\/[0-9A-F]+)/.exec(text) ?? [];
    if (lsn !== undefined) return { redoneTo: parseLsn(lsn) };
    const [, time] = /^last completed transaction was at log time (.*)$/.exec(text) ?? [];
    if (time !== undefined) return { lastCommit: time };
    const [, timeline] = /^selected new timeline ID: (\d+)$/.exec(text) ?? [];
    return timeline === undefined ? {} : { timeline: Number(timeline) };
  }
}

const guidance: readonly (readonly [RegExp, string])[] = [
  [
    /recovery ended before configured recovery target was reached/,
    'The log ends before that moment: take an earlier one, or --latest for all that there is.',
  ],
  [
    /requested recovery stop point is before consistent/,
    'That moment is before the backup ended: take an older backup.',
  ],
  [
    /requested timeline .* is not a child|does not contain minimum recovery point/,
    'That timeline doesn’t come from this backup: name another by --timeline.',
  ],
  [
    /resource manager with ID|could not load library|could not access file/,
    'The log was written with an extension that this host’s programs lack: install it beside them.',
  ],
  [/tablespace|pg_tblspc/, 'A tablespace is in the way: name its place by --tablespace OLD=NEW.'],
  [
    /wrong ownership|Permission denied/,
    'The user that owns the data directory must be able to reach it: see the rights of the folders above.',
  ],
  [/No space left/, 'Free some space, or restore to a larger disk.'],
  [
    /insufficient|out of memory|Cannot allocate|shared memory/,
    'This host has too little memory for what the cluster needs.',
  ],
];

/** What a person does about what a server said. */
export function guidanceFor(said: string): string {
  const known = guidance.find(([pattern]) => pattern.test(said))?.[1];
  return known ?? 'Restore into another, empty folder once what the server says is mended.';
}
