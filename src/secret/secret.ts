import { readFile } from 'node:fs/promises';
import { inspect } from 'node:util';
import { HoldfastError } from '../errors/error.ts';
import { outputOf } from '../host/output-of.ts';
import { errorCode, reasonOf } from '../host/system-error.ts';
import { splitWords } from './words.ts';

/** Where a secret is. Only references travel through the program; the secret itself is read where it is used. */
export type SecretReference =
  /** Its text without the white space around it; UTF-16 with a byte order mark is understood. */
  | { readonly kind: 'file'; readonly path: string }
  /** What a command prints, without the white space around it. Split as a shell would, run without one. */
  | { readonly kind: 'command'; readonly line: string }
  | { readonly kind: 'environment'; readonly name: string; readonly value: string }
  /** The empty password, asked for by name. */
  | { readonly kind: 'empty' };

/** A secret that shows nothing of itself when it gets into a message, a log or a JSON document. */
export class Secret {
  readonly #text: string;

  constructor(text: string) {
    this.#text = text;
  }

  reveal(): string {
    return this.#text;
  }

  toString(): string {
    return '[secret]';
  }

  toJSON(): string {
    return '[secret]';
  }

  [inspect.custom](): string {
    return '[secret]';
  }
}

/** 'refused' when it can't be had; the message names the place, never what is there. */
export async function readSecret(reference: SecretReference, signal: AbortSignal): Promise<Secret> {
  switch (reference.kind) {
    case 'file':
      return new Secret(decoded(await bytesOf(reference.path)).trim());
    case 'command':
      return new Secret(await printedBy(reference.line, signal));
    case 'environment':
      return new Secret(reference.value);
    case 'empty':
      return new Secret('');
  }
}

async function bytesOf(path: string): Promise<Buffer> {
  try {
    return await readFile(path);
  } catch (cause) {
    const reason = errorCode(cause) === 'ENOENT' ? 'does not exist' : `can't be read: ${reasonOf(cause)}`;
    throw new HoldfastError('refused', `the password file ${path} ${reason}`, { cause });
  }
}

async function printedBy(line: string, signal: AbortSignal): Promise<string> {
  const [program, ...args] = splitWords(line);
  if (program === undefined) throw new HoldfastError('usage', 'the password command is empty');
  return Buffer.from(await outputOf(program, args, signal))
    .toString('utf8')
    .trim();
}

/** UTF-8, or UTF-16 where a byte order mark says so; the mark is left out. */
function decoded(bytes: Buffer): string {
  const start = bytes.subarray(0, 2).toHex();
  const encoding = start === 'fffe' ? 'utf-16le' : start === 'feff' ? 'utf-16be' : 'utf-8';
  return new TextDecoder(encoding).decode(bytes);
}
