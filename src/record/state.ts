import { randomBytes } from 'node:crypto';
import { link, open, readFile, rename, unlink } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { newSignerPem, signerFromPem } from '../crypto/signature.ts';
import { HoldfastError } from '../errors/error.ts';
import { makeLasting, syncFile, syncFolder } from '../host/lasting.ts';
import { errorCode } from '../host/system-error.ts';
import type { Writer } from './record.ts';

/**
 * What this host keeps for itself, readable by its user alone: `signing-key.pem`, `writer`, `pinned-signers/` with
 * the first key that was seen of each other writer, and `outbox/` (outbox.ts). A file is there whole or not at all.
 */
export interface RecordState {
  readonly folder: string;
}

/** Who writes on this host; made when it is asked for the first time. */
export async function writerOf({ folder }: RecordState, hostname: string): Promise<Writer> {
  const host = hostname.replaceAll(/[^A-Za-z0-9.-]/g, '-').slice(0, 60) || 'host';
  const pem = await ensure(join(folder, 'signing-key.pem'), newSignerPem);
  const id = await ensure(join(folder, 'writer'), () => `${host}-${randomBytes(4).toHex()}\n`);
  return { id: id.trim(), signer: signerFromPem(pem) };
}

/** What was remembered under a name; undefined where nothing was. */
export async function rememberedIn({ folder }: RecordState, name: string): Promise<Uint8Array | undefined> {
  const path = join(folder, name);
  try {
    return await readFile(path);
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return undefined;
    throw unusable(path, error);
  }
}

export async function rememberIn({ folder }: RecordState, name: string, text: string): Promise<void> {
  const path = join(folder, name);
  try {
    await write(path, text, 'replace');
  } catch (error) {
    if (errorCode(error) === undefined) throw error;
    throw unusable(path, error);
  }
}

/** What stands in a file, which is made when it isn't there; of two who make it at once the first counts. */
export async function ensure(path: string, make: () => string): Promise<string> {
  for (;;) {
    try {
      return await readFile(path, 'utf8');
    } catch (error) {
      if (errorCode(error) !== 'ENOENT') throw unusable(path, error);
    }
    await write(path, make(), 'unless-there').catch((error: unknown) => {
      throw errorCode(error) === undefined ? error : unusable(path, error);
    });
  }
}

/** Forced to disk before it has its name, and its name after it. Of two that make one at once the first counts. */
async function write(path: string, text: string, mode: 'replace' | 'unless-there'): Promise<void> {
  await makeLasting(dirname(path), 0o700);
  const draft = `${path}.${randomBytes(6).toHex()}.tmp`;
  await using file = await open(draft, 'wx', 0o600);
  await file.writeFile(text);
  await syncFile(file);
  if (mode === 'replace') await rename(draft, path);
  else await linkUnlessThere(draft, path);
  await syncFolder(dirname(path));
}

async function linkUnlessThere(draft: string, path: string): Promise<void> {
  await link(draft, path).catch((error: unknown) => {
    if (errorCode(error) !== 'EEXIST') throw error;
  });
  await unlink(draft);
}

export function unusable(path: string, cause: unknown): HoldfastError {
  return new HoldfastError('refused', `the state in ${path} can’t be used: ${String(errorCode(cause))}`, { cause });
}
