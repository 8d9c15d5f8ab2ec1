import { toJson } from './json.ts';

/** 0: errors only (--quiet) · 1: what matters · 2: --verbose · 3: --verbose=2. */
export type Verbosity = 0 | 1 | 2 | 3;

/**
 * Where a command speaks. Text for people goes to standard output, or is left out with --json; JSON records go to
 * standard output, a line each; errors and warnings go to standard error in both. Status lines stand below
 * everything else on a terminal and never get into a file.
 */
export interface Console {
  readonly form: 'text' | 'json';
  readonly verbosity: Verbosity;
  /** Undefined where standard output is no terminal. */
  readonly terminal: { readonly columns: number } | undefined;
  /** A line for people, from this verbosity on. */
  say(line: string, from?: Verbosity): void;
  /** A JSON document on one line; bigints are written as numbers with all digits. */
  record(value: unknown): void;
  /** A part of a JSON document that is too large to be held. */
  piece(json: string): void;
  /** Bytes, as they are. Resolves when they may be followed by more. */
  raw(bytes: Uint8Array): Promise<void>;
  /** To standard error: text, or the record with --json. */
  complain(line: string, record: unknown): void;
  /** Replaces the status lines; [] removes them. Where standard output is no terminal they are lines like others. */
  status(lines: readonly string[]): void;
}

export interface Streams {
  readonly out: NodeJS.WriteStream;
  readonly err: NodeJS.WriteStream;
}

export function openConsole(form: 'text' | 'json', verbosity: Verbosity, { out, err }: Streams): Console {
  let shown = 0;
  const wipe = (): void => {
    if (shown > 0) out.write(`\r\u001b[${shown}A\u001b[J`);
    shown = 0;
  };
  return {
    form,
    verbosity,
    terminal: out.isTTY ? { columns: out.columns } : undefined,
    say: (line, from = 1) => {
      if (form === 'json' || verbosity < from) return;
      wipe();
      out.write(`${line}\n`);
    },
    record: (value) => {
      out.write(`${toJson(value)}\n`);
    },
    piece: (json) => {
      out.write(json);
    },
    raw: (bytes) =>
      new Promise((resolve, reject) => {
        out.write(bytes, (error) => (error ? reject(error) : resolve()));
      }),
    complain: (line, record) => {
      wipe();
      err.write(`${form === 'json' ? toJson(record) : line}\n`);
    },
    status: (lines) => {
      if (form === 'json') return;
      wipe();
      const fitting = out.isTTY ? lines.map((line) => line.slice(0, Math.max(20, out.columns) - 1)) : lines.slice(0, 1);
      out.write(fitting.map((line) => `${line}\n`).join(''));
      shown = out.isTTY ? fitting.length : 0;
    },
  };
}
