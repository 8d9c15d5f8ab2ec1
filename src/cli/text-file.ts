import { readFile } from 'node:fs/promises';
import { HoldfastError } from '../errors/error.ts';
import { reasonOf } from '../host/system-error.ts';

/** The contents of files that an option names; '-' is standard input. */
export async function filesGiven(names: readonly string[], label: string): Promise<readonly Uint8Array[]> {
  const contents: Uint8Array[] = [];
  for (const name of names) contents.push(name === '-' ? await standardInput() : await fileGiven(name, label));
  return contents;
}

async function fileGiven(name: string, label: string): Promise<Uint8Array> {
  try {
    return await readFile(name);
  } catch (cause) {
    throw new HoldfastError('usage', `${label}: ${name} can't be read: ${reasonOf(cause)}`, { cause });
  }
}

async function standardInput(): Promise<Uint8Array> {
  const chunks: AsyncIterable<Uint8Array> = process.stdin;
  return Buffer.concat(await Array.fromAsync(chunks));
}
