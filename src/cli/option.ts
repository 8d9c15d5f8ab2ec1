import { HoldfastError } from '../errors/error.ts';

/**
 * One option: everything that its flag, its environment variable, its help, its completion and its documentation
 * need. The key it stands under is its name: `oneFileSystem` is `--one-file-system`.
 */
export interface Option<T> {
  /** 'none': stands alone; 'count': stands alone, several times; 'one': the last value counts; 'many': all do. */
  readonly takes: 'none' | 'count' | 'one' | 'many';
  readonly says: string;
  readonly short?: string;
  /** What the value is, in help: `file`, `n`. */
  readonly value?: string;
  /** The variable that gives the value when no flag does. */
  readonly environment?: string;
  /** For help. */
  readonly fallback?: string;
  readonly choices?: readonly string[];
  /** Known, but refused by name and not shown. */
  readonly unsupported?: true;
  /** From what was given, in order; [] when nothing was. `label` names the flag or variable in errors. */
  readonly parse: (given: readonly string[], label: string) => T;
}

export type Options = Readonly<Record<string, Option<unknown>>>;
export type Values<O extends Options> = { readonly [K in keyof O]: O[K] extends Option<infer T> ? T : never };

/** What was given for an option, by key: its values as text, and the flag or variable that gave them. */
export type Given = (key: string) => {
  readonly texts: readonly string[];
  /** `--host` or `$RESTIC_HOST`, for errors. */
  readonly label: string;
  readonly origin: 'flag' | 'environment' | 'none';
};

/** Parses every option of a definition from what was given. */
export function valuesOf<const O extends Options>(options: O, given: Given): Values<O> {
  const entries = Object.entries(options).map(([key, option]) => {
    const { texts, label } = given(key);
    return [key, option.parse(texts, label)] as const;
  });
  // The mapped type says per key what `parse` of that key returns; Object.fromEntries can't express it.
  return Object.fromEntries(entries) as Values<O>;
}

type Extra = Partial<Pick<Option<unknown>, 'short' | 'environment' | 'fallback' | 'value' | 'choices'>>;

const truths: Readonly<Record<string, boolean>> = {
  1: true,
  t: true,
  T: true,
  true: true,
  TRUE: true,
  True: true,
  0: false,
  f: false,
  F: false,
  false: false,
  FALSE: false,
  False: false,
};

export function flag(says: string, extra: Extra = {}): Option<boolean> {
  return { takes: 'none', says, ...extra, parse: (given, label) => truth(given.at(-1) ?? 'false', label) };
}

function truth(text: string, label: string): boolean {
  const known = truths[text];
  if (known === undefined) throw refusal(label, text, 'true or false');
  return known;
}

/** `-v -v`, `-vv` or `--verbose=2`. */
export function count(says: string, extra: Extra = {}): Option<number> {
  const parse = (given: readonly string[], label: string): number =>
    given.reduce((sum, text) => (text === 'true' ? sum + 1 : wholeNumber(text, label)), 0);
  return { takes: 'count', says, ...extra, parse };
}

export function text(value: string, says: string, extra: Extra = {}): Option<string | undefined> {
  return { takes: 'one', value, says, ...extra, parse: (given) => given.at(-1) };
}

export function list(value: string, says: string, extra: Extra = {}): Option<readonly string[]> {
  return { takes: 'many', value, says, ...extra, parse: (given) => given };
}

export function choice<const C extends string>(
  value: string,
  choices: readonly C[],
  says: string,
  extra: Extra = {},
): Option<C | undefined> {
  const parse = (given: readonly string[], label: string): C | undefined => {
    const last = given.at(-1);
    const found = choices.find((one) => one === last);
    if (last !== undefined && found === undefined) throw refusal(label, last, choices.join(', '));
    return found;
  };
  return { takes: 'one', value, says, choices, ...extra, parse };
}

/** A value that a parser of its own understands; the parser throws 'usage' through `refusal`. */
export function parsed<T>(
  value: string,
  parse: (text: string, label: string) => T,
  says: string,
  extra: Extra = {},
): Option<T | undefined> {
  const last = (given: readonly string[], label: string): T | undefined => {
    const text = given.at(-1);
    return text === undefined ? undefined : parse(text, label);
  };
  return { takes: 'one', value, says, ...extra, parse: last };
}

/** restic has it and this version doesn't: said by name rather than 'unknown'. */
export function unsupported(takes: 'none' | 'one', extra: Extra = {}): Option<undefined> {
  const parse = (given: readonly string[], label: string): undefined => {
    if (given.length > 0) throw new HoldfastError('unsupported', `${label} is not supported by this version`);
  };
  return { takes, says: '', ...extra, unsupported: true, parse };
}

export function wholeNumber(text: string, label: string): number {
  const number = Number(text);
  if (!/^\d{1,15}$/.test(text)) throw refusal(label, text, 'a whole number');
  return number;
}

/** What every option answers to a value that it doesn't understand. */
export function refusal(label: string, text: string, wanted: string): HoldfastError {
  return new HoldfastError(
    'usage',
    `${label}: ${JSON.stringify(text)} is not ${wanted.includes(',') ? `one of ${wanted}` : wanted}`,
  );
}

/** `oneFileSystem` → `--one-file-system`. */
export function flagName(key: string): string {
  return `--${key.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
}
