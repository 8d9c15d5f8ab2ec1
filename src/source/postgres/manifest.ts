import { createHash } from 'node:crypto';
import * as z from 'zod';
import { rawPath, type RawPath } from '../../bytes/ids.ts';
import { HoldfastError } from '../../errors/error.ts';

/** What a backup manifest says of one file (documentation, "Backup Manifest Format"). */
export interface ManifestFile {
  readonly path: RawPath;
  readonly sizeBytes: number;
  /** Lower-case hex. */
  readonly crc32c: string;
}

const listed = z
  .object({
    'Path': z.string().optional(),
    'Encoded-Path': z
      .string()
      .regex(/^(?:[0-9a-f]{2})+$/i)
      .optional(),
    'Size': z.int().nonnegative(),
    'Checksum-Algorithm': z.string().optional(),
    'Checksum': z.string().optional(),
  })
  .transform((file) => ({ ...file, bytes: bytesOf(file['Path'], file['Encoded-Path']) }));

const mostLineBytes = 64 * 1024;

/**
 * Reads a manifest as it arrives, tells each file that it lists, and at its end holds its own checksum against what
 * came: the SHA-256 of every line before the last. The server writes one line a file, which is all that is held. Of
 * version 1 (up to 16) and version 2 (from 17); 'source-failed' for any other, and for one that is damaged or cut off.
 */
export class ManifestReader {
  readonly #hash = createHash('sha256');
  readonly #onFile: (file: ManifestFile) => void;
  #line = '';
  #checksum: string | undefined;
  #version: string | undefined;

  constructor(onFile: (file: ManifestFile) => void) {
    this.#onFile = onFile;
  }

  add(bytes: Uint8Array): void {
    const lines = (this.#line + Buffer.from(bytes).toString('latin1')).split('\n');
    this.#line = lines.pop() ?? '';
    if (this.#line.length > mostLineBytes) throw wrong('a line of it is too long');
    for (const line of lines) this.#take(line);
  }

  end(): void {
    if (this.#line !== '') this.#take(this.#line);
    if (this.#checksum === undefined) throw wrong('it is cut off');
    if (this.#checksum !== this.#hash.digest('hex')) throw wrong('its own checksum is another');
    if (this.#version !== '1' && this.#version !== '2') throw wrong(`it is of version ${this.#version ?? 'none'}`);
  }

  #take(line: string): void {
    if (this.#checksum !== undefined) throw wrong('something follows its checksum');
    this.#checksum = /^"Manifest-Checksum": "([0-9a-f]{64})"\}$/.exec(line)?.[1];
    if (this.#checksum !== undefined) return;
    this.#hash.update(`${line}\n`, 'latin1');
    this.#version ??= /^\{ "PostgreSQL-Backup-Manifest-Version": (\d+),$/.exec(line)?.[1];
    if (/^\{ "(?:Path|Encoded-Path)": /.test(line)) this.#onFile(fileOf(line));
  }
}

function fileOf(line: string): ManifestFile {
  const text = Buffer.from(line.replace(/,$/, ''), 'latin1').toString('utf8');
  const parsed = listed.safeParse(asJson(text));
  if (!parsed.success) throw wrong(`a line of it says no file: ${text.slice(0, 200)}`);
  const { bytes, 'Size': sizeBytes, 'Checksum-Algorithm': algorithm, 'Checksum': checksum } = parsed.data;
  if (bytes === undefined || algorithm !== 'CRC32C' || checksum === undefined)
    throw wrong(`it lacks the CRC32C of a file: ${text.slice(0, 200)}`);
  return { path: rawPath(bytes), sizeBytes, crc32c: checksum };
}

function asJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined; // said by who asks
  }
}

function bytesOf(path: string | undefined, encoded: string | undefined): Buffer | undefined {
  if (encoded !== undefined) return Buffer.from(encoded, 'hex');
  return path === undefined ? undefined : Buffer.from(path, 'utf8');
}

function wrong(what: string): HoldfastError {
  return new HoldfastError('source-failed', `the server’s manifest of the backup can’t be used: ${what}`);
}
