import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { signerFromPem } from '../crypto/signature.ts';
import { errorCode } from '../host/system-error.ts';
import { ensure, rememberedIn, unusable, type RecordState } from './state.ts';

/** Public keys that this host believes, by writer. */
export type Pins = ReadonlyMap<string, string>;

const folderName = 'pinned-signers';
/** What a writer's name may be, so that it is a file's; others are never pinned. */
const writerName = /^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$/;

/** The first key seen of each writer, and this host's own. */
export async function readPins(state: RecordState): Promise<Pins> {
  const pins = new Map<string, string>();
  for (const writer of await namesIn(join(state.folder, folderName)))
    pins.set(writer, textOf(await rememberedIn(state, `${folderName}/${writer}`)));
  const [own, pem] = [await rememberedIn(state, 'writer'), await rememberedIn(state, 'signing-key.pem')];
  if (own !== undefined && pem !== undefined) pins.set(textOf(own), signerFromPem(textOf(pem)).publicKey);
  return pins;
}

/** Pins the first key that is seen of a writer; resolves with the key that is pinned, an earlier one where there is one. */
export async function pinSigner({ folder }: RecordState, writer: string, key: string): Promise<string | undefined> {
  if (!writerName.test(writer)) return undefined;
  return (await ensure(join(folder, folderName, writer), () => `${key}\n`)).trim();
}

async function namesIn(path: string): Promise<readonly string[]> {
  try {
    return (await readdir(path)).filter((name) => writerName.test(name) && !name.endsWith('.tmp'));
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return [];
    throw unusable(path, error);
  }
}

function textOf(bytes: Uint8Array | undefined): string {
  return Buffer.from(bytes ?? [])
    .toString('utf8')
    .trim();
}
