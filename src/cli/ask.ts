import { HoldfastError } from '../errors/error.ts';
import { Secret } from '../secret/secret.ts';

/** Whether a person can be asked. */
export function canAsk(): boolean {
  return process.stdin.isTTY;
}

/** Asks on the terminal without showing what is typed; elsewhere the first line of standard input, as restic does. */
export async function askSecret(question: string, signal: AbortSignal): Promise<Secret> {
  const line = canAsk() ? await typedInSecret(question, signal) : await pipedInSecret(signal);
  const text = line.trim();
  if (text === '') {
    throw new HoldfastError('usage', 'an empty password is not taken', {
      next: 'Say --insecure-no-password if that is what you want.',
    });
  }
  return new Secret(text);
}

/** A new password: twice on a terminal. */
export async function askNewSecret(signal: AbortSignal): Promise<Secret> {
  const first = await askSecret('enter the new password: ', signal);
  if (!canAsk()) return first;
  const second = await askSecret('enter it again: ', signal);
  if (first.reveal() !== second.reveal()) throw new HoldfastError('usage', 'the two passwords differ');
  return first;
}

async function pipedInSecret(signal: AbortSignal): Promise<string> {
  process.stderr.write('reading the password from standard input\n');
  return await firstLine(signal);
}

/** Nothing typed is shown from before the question appears: a fast typist's first letters neither. */
async function typedInSecret(question: string, signal: AbortSignal): Promise<string> {
  process.stdin.setRawMode(true);
  try {
    process.stderr.write(question);
    return await readKeys(signal);
  } finally {
    process.stdin.setRawMode(false);
    process.stderr.write('\n');
  }
}

/** Raw mode hands over each key: Enter ends, Backspace and Ctrl-U delete, Ctrl-C and Ctrl-D stop. */
async function readKeys(signal: AbortSignal): Promise<string> {
  let typed = '';
  for await (const chunk of inputOf(signal)) {
    for (const key of chunk) {
      if (key === '\r' || key === '\n') return typed;
      if (key === '\u0003' || key === '\u0004') throw new HoldfastError('interrupted', 'no password was given');
      if (key === '\u007f' || key === '\b') typed = Array.from(typed).slice(0, -1).join('');
      else if (key === '\u0015') typed = '';
      else typed += key;
    }
  }
  return typed;
}

async function firstLine(signal: AbortSignal): Promise<string> {
  let text = '';
  for await (const chunk of inputOf(signal)) {
    text += chunk;
    if (text.includes('\n')) break;
  }
  return text.split('\n')[0] ?? '';
}

/** Standard input as text, left open for whoever reads next. */
async function* inputOf(signal: AbortSignal): AsyncGenerator<string, void, void> {
  process.stdin.setEncoding('utf8');
  const stop = (): void => {
    process.stdin.destroy(signal.reason instanceof Error ? signal.reason : undefined);
  };
  signal.addEventListener('abort', stop, { once: true });
  try {
    const chunks: AsyncIterable<string> = process.stdin.iterator({ destroyOnReturn: false });
    yield* chunks;
  } finally {
    signal.removeEventListener('abort', stop);
    process.stdin.pause();
  }
}
