import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { rawPathOf } from '../../../bytes/ids.ts';
import { isRightPage } from '../../../bytes/page-checksum.ts';
import { errorCode } from '../../../host/system-error.ts';
import type { RehearsedStep } from '../../rehearsal.ts';
import { isRelation } from '../placing.ts';
import type { SandboxedServer } from '../sandboxed-server.ts';
import { readingBuffer, readPieces } from './read-pieces.ts';
import { firstOf, stepOf } from './step.ts';

const about = { name: 'checksums', expected: 'every page of every file holds its checksum' } as const;

interface Pages {
  readonly pageBytes: number;
  /** Pages of a whole file: a larger relation stands in several. */
  readonly perFile: number;
  readonly buffer: Buffer;
}

/**
 * Reads every page of every relation, indexes and all that stands beside tables too, as pg_checksums --check does. Pages
 * that were torn while they were copied are right once the log was replayed, so this comes after the start, when a
 * checkpoint has written all of them.
 */
export async function readChecksums(
  server: SandboxedServer,
  data: string,
  signal: AbortSignal,
): Promise<RehearsedStep> {
  return await stepOf(server, about, async () => {
    const { state, ...pages } = await written(server);
    if (state !== 'on') return { state: 'left out', found: 'the cluster has none of its pages' };
    let count = 0;
    const suspects: Suspect[] = [];
    for (const file of await relationFiles(data)) {
      signal.throwIfAborted();
      count += await readPages(file, pages, (wrong) => suspects.push(wrong));
    }
    const wrong = suspects.length === 0 ? [] : await stillWrong(server, suspects, pages);
    if (wrong.length > 0) return { state: 'failed', found: firstOf(wrong) };
    return { state: 'passed', found: `${count} pages` };
  });
}

/** How pages are, all of which stand in their files now. */
async function written(server: SandboxedServer): Promise<Pages & { readonly state: string }> {
  return await server.in(server.description.database, async (connection) => {
    await connection.rows('checkpoint');
    const names = ['data_checksums', 'block_size', 'segment_size'];
    const [[state, size, perFile] = []] = await connection.rows(
      `select ${names.map((name) => `(select setting from pg_settings where name = '${name}')`).join(', ')}`,
    );
    return { state: state ?? 'off', pageBytes: Number(size), perFile: Number(perFile), buffer: readingBuffer() };
  });
}

interface Suspect {
  readonly path: string;
  readonly page: number;
  readonly how: string;
}

/** Our own questions may have had a page written just as it was read: those that are wrong are read once more. */
async function stillWrong(
  server: SandboxedServer,
  suspects: readonly Suspect[],
  pages: Pages,
): Promise<readonly string[]> {
  await written(server);
  const wrong: string[] = [];
  for (const path of new Set(suspects.map((one) => one.path)))
    await readPages(path, pages, ({ page, how }) => wrong.push(`${relativeName(path)}: page ${page} ${how}`));
  return wrong;
}

function relativeName(path: string): string {
  return /(?:base|global|pg_tblspc)\/.*$/.exec(path)?.[0] ?? path;
}

/** Paths are those of a restored copy of ours, which are plain: whoever names a relation is the server. */
async function relationFiles(data: string): Promise<readonly string[]> {
  const found: string[] = [];
  for (const folder of ['base', 'global', 'pg_tblspc'])
    for (const name of await readdir(join(data, folder), { recursive: true }))
      if (isRelation(rawPathOf(`${folder}/${name}`))) found.push(join(data, folder, name));
  return found.toSorted();
}

async function readPages(path: string, pages: Pages, onWrong: (wrong: Suspect) => void): Promise<number> {
  const { pageBytes, perFile, buffer } = pages;
  const first = Number(/\.(\d+)$/.exec(path)?.[1] ?? 0) * perFile;
  let page = 0;
  try {
    for await (const piece of readPieces(path, buffer))
      for (let at = 0; at < piece.length; at += pageBytes) {
        const how = faultOf(piece.subarray(at, at + pageBytes), first + page, pageBytes);
        if (how !== undefined) onWrong({ path, page: first + page, how });
        page += 1;
      }
  } catch (error) {
    // The server has removed it meanwhile: who needs it will miss it.
    if (errorCode(error) !== 'ENOENT') throw error;
  }
  return page;
}

function faultOf(page: Buffer, block: number, pageBytes: number): string | undefined {
  if (page.length < pageBytes) return `has ${page.length} bytes`;
  return isRightPage(page, block) ? undefined : 'has another checksum';
}
