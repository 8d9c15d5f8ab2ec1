import { createReadStream } from 'node:fs';
import { inspect } from 'node:util';
import { hasCode, HoldfastError } from '../errors/error.ts';
import { outputOf } from '../host/output-of.ts';
import { errorCode, reasonOf } from '../host/system-error.ts';
import { neverShow } from './redact.ts';
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
    neverShow(text);
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

/** 'refused' when it can't be had, or is empty; the message names the place, never what is there. */
export async function readSecret(reference: SecretReference, signal: AbortSignal): Promise<Secret> {
  switch (reference.kind) {
    case 'file':
      return notEmpty(decoded(await bytesOf(reference.path, signal)).trim(), `the password file ${reference.path}`);
    case 'command':
      return notEmpty(await printedBy(reference.line, signal), 'what the password command prints');
    case 'environment':
      return new Secret(reference.value);
    case 'empty':
      return new Secret('');
  }
}

function notEmpty(text: string, what: string): Secret {
  if (text !== '') return new Secret(text);
  throw new HoldfastError('refused', `${what} is empty`, {
    next: 'Look there; a repository without a password is opened by --insecure-no-password. Nothing was changed.',
  });
}

/** For what a person could type, or a key of some lines. */
const mostBytes = 1024 * 1024;

/** From a pipe too. */
async function bytesOf(path: string, signal: AbortSignal): Promise<Buffer> {
  const chunks: Buffer[] = [];
  try {
    const bytes: AsyncIterable<Buffer> = createReadStream(path, { signal, end: mostBytes });
    for await (const chunk of bytes) chunks.push(chunk);
  } catch (cause) {
    signal.throwIfAborted();
    const reason = errorCode(cause) === 'ENOENT' ? 'does not exist' : `can't be read: ${reasonOf(cause)}`;
    throw new HoldfastError('refused', `the password file ${path} ${reason}`, { cause });
  }
  const bytes = Buffer.concat(chunks);
  if (bytes.length <= mostBytes) return bytes;
  throw new HoldfastError('refused', `the password file ${path} is larger than ${mostBytes} bytes`);
}

/**
 * A person at a terminal may be asked. Elsewhere standard error is a log, and what fails may write the secret there.
 */
async function printedBy(line: string, signal: AbortSignal): Promise<string> {
  const [program, ...args] = splitWords(line);
  if (program === undefined) throw new HoldfastError('usage', 'the password command is empty');
  const errors = process.stderr.isTTY ? 'inherited' : 'unheard';
  try {
    return Buffer.from(await outputOf(program, args, signal, errors))
      .toString('utf8')
      .trim();
  } catch (cause) {
    if (!hasCode(cause, 'refused')) throw cause;
    const message = cause.message.replace(program, shownName(program, 'the password command'));
    const next = 'Run it by hand: what it says is not shown here, for it may say the secret. Nothing was changed.';
    throw new HoldfastError('refused', message, { ...(errors === 'unheard' && { next }) });
  }
}

/** A word that stands where a name should be, and is none, may be the secret itself. */
export function shownName(name: string, otherwise: string): string {
  return /^(?:[A-Z][A-Z0-9_]*|[a-z][a-z0-9_.-]*|\/.*)$/.test(name) ? name : otherwise;
}

/** UTF-8, or UTF-16 where a byte order mark says so; the mark is left out. */
function decoded(bytes: Buffer): string {
  const start = bytes.subarray(0, 2).toHex();
  const encoding = start === 'fffe' ? 'utf-16le' : start === 'feff' ? 'utf-16be' : 'utf-8';
  return new TextDecoder(encoding).decode(bytes);
}
