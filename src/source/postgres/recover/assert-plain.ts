import type { Dirent } from 'node:fs';
import { readdir, realpath } from 'node:fs/promises';
import { join } from 'node:path';
import { HoldfastError } from '../../../errors/error.ts';
import { isOfCluster } from '../replace/adopt.ts';

/** Where links are led by us, or by whoever runs the server: to tablespaces, and to a log on a disk of its own. */
const mayLead = { 'a copy': /^pg_tblspc\/\d+$/, 'its place': /^(?:pg_tblspc\/\d+|pg_wal)$/ } as const;

/** What stands at the top of a disk of its own, and is no part of a cluster. */
const ofDisk = /^(?:lost\+found|\..*)$/;

export interface Cluster {
  /** Its data directory. */
  readonly data: string;
  readonly where: keyof typeof mayLead;
  readonly major: number;
}

/**
 * A server follows what links stand in its data directory, and writes where they lead, be it into production: 'damaged' where
 * a part of the cluster is neither a file nor a folder. No backup holds such, but one that somebody else has made. What
 * stands beside a part, on a disk of its own, is somebody's, and no server of this major looks at it.
 */
export async function assertPlain({ data, where, major }: Cluster): Promise<void> {
  const leads = mayLead[where];
  for (const entry of await readdir(data, { withFileTypes: true }))
    if (isOfCluster(entry.name)) await assertPart(data, entry.name, entry, { leads, major });
}

interface Rules {
  readonly leads: RegExp;
  readonly major: number;
}

async function assertPart(data: string, path: string, entry: Dirent, rules: Rules): Promise<void> {
  if (entry.isFile()) return;
  if (entry.isDirectory()) return await assertBelow(data, path, rules);
  if (!entry.isSymbolicLink() || !rules.leads.test(path)) throw strange(join(data, path));
  const to = await realpath(join(data, path));
  await (path === 'pg_wal' ? assertDisk(to, rules) : assertTablespace(to, rules));
}

async function assertBelow(data: string, path: string, rules: Rules): Promise<void> {
  for (const inner of await readdir(join(data, path), { withFileTypes: true }))
    await assertPart(data, `${path}/${inner.name}`, inner, rules);
}

async function assertTablespace(location: string, { major }: Rules): Promise<void> {
  for (const entry of await readdir(location, { withFileTypes: true })) {
    if (!entry.name.startsWith(`PG_${major}_`)) continue;
    if (!entry.isDirectory()) throw strange(join(location, entry.name));
    await assertDisk(join(location, entry.name), { major });
  }
}

/** A folder that may be the top of a disk. */
async function assertDisk(folder: string, { major }: Pick<Rules, 'major'>): Promise<void> {
  for (const entry of await readdir(folder, { withFileTypes: true }))
    if (!ofDisk.test(entry.name)) await assertPart(folder, entry.name, entry, { leads: nowhere, major });
}

const nowhere = /^$/;

function strange(path: string): HoldfastError {
  return new HoldfastError('damaged', `${path} is a link, or something else than a file or a folder`, {
    next: 'No server was started on it: it would write where that leads. No backup of a cluster holds such: find out who put it there.',
  });
}
