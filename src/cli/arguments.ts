import { parseArgs } from 'node:util';
import { HoldfastError } from '../errors/error.ts';
import { flagName, type Given, type Option, type Options } from './option.ts';
import { nearest } from '../bytes/nearest.ts';

/** By name; undefined where it isn't set. */
export type Environment = Readonly<Record<string, string | undefined>>;

/**
 * The words that name the command: those before the first option's value are skipped as restic does, so that global
 * options may stand before or after. `rest` is what remains for `parseGiven`.
 */
export function splitCommand(
  argv: readonly string[],
  globals: Options,
  names: ReadonlySet<string>,
): { readonly words: readonly string[]; readonly rest: readonly string[] } {
  const rest = [...argv];
  const words: string[] = [];
  let at = 0;
  while (at < rest.length && rest[at] !== '--') {
    const word = rest[at] ?? '';
    if (word.startsWith('-') && word !== '-') {
      at += takesNext(word, globals) ? 2 : 1;
      continue;
    }
    words.push(word);
    rest.splice(at, 1);
    if (words.length === 2 || !hasSecond(word, rest[at], names)) break;
  }
  return { words, rest };
}

/** Of a command that is one by itself (`records`) the second word follows at once: later ones are its own. */
function hasSecond(word: string, next: string | undefined, names: ReadonlySet<string>): boolean {
  if (names.has(word)) return names.has(`${word} ${next}`);
  return names.values().some((name) => name.startsWith(`${word} `));
}

/** Whether this option's value is the next argument. */
function takesNext(word: string, globals: Options): boolean {
  const entries = Object.entries(globals);
  if (word.startsWith('--')) {
    const known = entries.find(([key]) => flagName(key) === word);
    return known !== undefined && takesValue(known[1]);
  }
  for (const [at, letter] of Array.from(word.slice(1)).entries()) {
    const known = entries.find(([, option]) => option.short === letter);
    if (known !== undefined && takesValue(known[1])) return at === word.length - 2;
  }
  return false;
}

function takesValue(option: Option<unknown>): boolean {
  return option.takes === 'one' || option.takes === 'many';
}

export interface ParsedArguments {
  readonly given: Given;
  readonly operands: readonly string[];
}

/** Sorts arguments into options and operands; an option that no flag gave comes from its environment variable. */
export function parseArguments(args: readonly string[], options: Options, environment: Environment): ParsedArguments {
  const keys = new Map(Object.keys(options).map((key) => [flagName(key).slice(2), key]));
  const { tokens } = parseArgs({
    args: [...args],
    options: specification(options),
    strict: false,
    tokens: true,
    allowPositionals: true,
  });
  const texts = new Map<string, string[]>();
  const operands: string[] = [];
  for (const token of tokens) {
    if (token.kind === 'positional') operands.push(token.value);
    if (token.kind !== 'option') continue;
    const key = keys.get(token.name);
    const option = key === undefined ? undefined : options[key];
    if (key === undefined || option === undefined) throw unknownOption(token.rawName, [...keys.keys()]);
    texts.set(key, [...(texts.get(key) ?? []), valueOf(token, option)]);
  }
  return { operands, given: (key) => lookUp(key, texts, options[key], environment) };
}

type Specification = Record<
  string,
  { readonly type: 'string' | 'boolean'; readonly short?: string; readonly multiple: true }
>;

function specification(options: Options): Specification {
  return Object.fromEntries(
    Object.entries(options).map(([key, option]) => {
      const type = takesValue(option) ? ('string' as const) : ('boolean' as const);
      return [
        flagName(key).slice(2),
        { type, multiple: true as const, ...(option.short === undefined ? {} : { short: option.short }) },
      ];
    }),
  );
}

interface OptionToken {
  readonly rawName: string;
  readonly value?: string | undefined;
  readonly inlineValue?: boolean | undefined;
}

function valueOf(token: OptionToken, option: Option<unknown>): string {
  if (!takesValue(option)) return token.value ?? 'true';
  if (token.value === undefined)
    throw new HoldfastError('usage', `${token.rawName} needs a value (${option.value ?? 'value'})`);
  const joined = token.inlineValue === true && !token.rawName.startsWith('--');
  return joined && token.value.startsWith('=') ? token.value.slice(1) : token.value;
}

function unknownOption(rawName: string, names: readonly string[]): HoldfastError {
  const guess = rawName.startsWith('--') ? nearest(rawName.slice(2), names) : undefined;
  return new HoldfastError(
    'usage',
    `unknown option ${rawName}${guess === undefined ? '' : `; did you mean --${guess}?`}`,
  );
}

function lookUp(
  key: string,
  texts: ReadonlyMap<string, readonly string[]>,
  option: Option<unknown> | undefined,
  environment: Environment,
): ReturnType<Given> {
  const flags = texts.get(key);
  if (flags !== undefined) return { texts: flags, label: flagName(key), origin: 'flag' };
  const variable = option?.environment;
  const value = variable === undefined ? undefined : environment[variable];
  if (variable === undefined || value === undefined || value === '')
    return { texts: [], label: flagName(key), origin: 'none' };
  return { texts: [value], label: `$${variable}`, origin: 'environment' };
}
