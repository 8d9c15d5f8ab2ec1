import type { Dirent } from 'node:fs';
import { readdir, realpath } from 'node:fs/promises';
import { join } from 'node:path';
import { HoldfastError } from '../../../errors/error.ts';
import { isOfCluster } from '../replace/adopt.ts';

/** Where links are led by us, or by whoever runs the server: to tablespaces, and to a log on a disk of its own. */
const mayLead = { 'a copy': /^pg_tblspc\/\d+$/, 'its place': /^(?:pg_tblspc\/\d+|pg_wal)$/ } as const;

/** What stands at the top of a disk of its own, and is no part of a cluster. */
const ofDisk = /^(?:lost\+found|\..*)$/;

/**
 * A server follows what links stand in its data directory, and writes where they lead, be it into production: 'damaged' where
 * a part of the cluster is neither a file nor a folder. No backup holds such, but one that somebody else has made.
 */
export async function assertPlain(data: string, where: keyof typeof mayLead): Promise<void> {
  for (const entry of await readdir(data, { withFileTypes: true }))
    if (isOfCluster(entry.name)) await assertPart(data, entry.name, entry, mayLead[where]);
}

async function assertPart(data: string, path: string, entry: Dirent, leads: RegExp): Promise<void> {
  if (entry.isFile()) return;
  if (entry.isDirectory()) return await assertBelow(data, path, leads);
  if (!entry.isSymbolicLink() || !leads.test(path)) throw strange(join(data, path));
  const to = await realpath(join(data, path));
  for (const inner of await readdir(to, { withFileTypes: true }))
    if (!ofDisk.test(inner.name)) await assertPart(to, inner.name, inner, nowhere);
}

async function assertBelow(data: string, path: string, leads: RegExp): Promise<void> {
  for (const inner of await readdir(join(data, path), { withFileTypes: true }))
    await assertPart(data, `${path}/${inner.name}`, inner, leads);
}

const nowhere = /^$/;

function strange(path: string): HoldfastError {
  return new HoldfastError('damaged', `${path} is a link, or something else than a file or a folder`, {
    next: 'No server was started on it: it would write where that leads. No backup of a cluster holds such: find out who put it there.',
  });
}
