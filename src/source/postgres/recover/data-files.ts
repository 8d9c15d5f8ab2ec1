import { existsSync } from 'node:fs';
import { chmod, chown, mkdir, open, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { HoldfastError } from '../../../errors/error.ts';
import { errorCode } from '../../../host/system-error.ts';
import { currentUser } from '../../../host/users.ts';
import { settingLines } from '../isolated-settings.ts';
import type { Replay } from '../../recovery.ts';
import type { DataOwner } from '../sandbox-files.ts';

/** Beside the data directory, while it is brought to a moment. */
export const ownFolderIn = (folder: string): string => join(folder, '.holdfast');
export const dataIn = (folder: string): string => join(folder, 'data');

/** What a server that ran, or followed, leaves in its data directory, and a copy has no use for. */
const leftovers = ['postmaster.pid', 'postmaster.opts', 'standby.signal', 'recovery.signal', 'recovery.done'] as const;

/** A copy archives nothing and follows nobody, whatever the configuration says that it came with. */
export const always: Readonly<Record<string, string>> = {
  archive_mode: 'off',
  primary_conninfo: '',
  primary_slot_name: '',
};
const forGood: Readonly<Record<string, string>> = {
  ...always,
  restore_command: '',
  recovery_end_command: '',
  archive_cleanup_command: '',
};

/**
 * Makes a data directory one that recovers from an archive, and by nobody's command yet: started so, a server refuses.
 * What production had set by ALTER SYSTEM waits beside it.
 */
export async function prepareDirectory(folder: string, settings = always): Promise<void> {
  const [data, own] = [dataIn(folder), ownFolderIn(folder)];
  for (const name of leftovers) await rm(join(data, name), { force: true });
  await mkdir(own, { recursive: true, mode: 0o700 });
  if (settings === always) await rm(join(own, 'auto.conf'), { force: true });
  await saveSettings(data, own);
  const owner = await ownerOf(data);
  for (const [name, text] of [
    ['postgresql.auto.conf', settingLines(settings)],
    ['recovery.signal', ''],
  ] as const)
    await writeOwned(join(data, name), text, owner);
  await give(own, owner);
  if (owner !== undefined) for (const path of [folder, dirname(folder)]) await letThrough(path);
}

/** Before anything else is written there: what was saved once is what production had. */
async function saveSettings(data: string, own: string): Promise<void> {
  const saved = join(own, 'auto.conf');
  if (existsSync(saved)) return;
  const draft = `${saved}.tmp`;
  {
    await using file = await open(draft, 'w', 0o600);
    await file.writeFile(await textIn(join(data, 'postgresql.auto.conf')));
    await file.sync();
  }
  await rename(draft, saved);
  await using names = await open(own, 'r');
  await names.sync();
}

/** What was replayed to another place than it should doesn't start by itself. */
export async function waitAgain(folder: string): Promise<void> {
  await writeOwned(join(dataIn(folder), 'recovery.signal'), '', await ownerOf(dataIn(folder)));
}

/** The server's user has to reach its data directory; what else is here stays as closed as it was. */
async function letThrough(path: string): Promise<void> {
  const { mode } = await stat(path);
  if ((mode & 0o111) !== 0o111) await chmod(path, (mode & 0o7777) | 0o111);
}

/** Takes away what the recovery needed: the configuration that came with the copy is in force again, or will be. */
export async function finishDirectory(folder: string, as: NonNullable<Replay['as']> = 'a copy'): Promise<void> {
  const [data, own] = [dataIn(folder), ownFolderIn(folder)];
  const came = await textIn(join(own, 'auto.conf'));
  const settings = as === 'a copy' ? `${withoutOurs(came)}${settingLines(forGood)}` : withoutTarget(came);
  const draft = join(data, 'postgresql.auto.conf.tmp');
  await writeOwned(draft, settings, await ownerOf(data));
  await rename(draft, join(data, 'postgresql.auto.conf'));
  for (const name of ['backup_label.old', 'tablespace_map.old']) await rm(join(data, name), { force: true });
  await rm(own, { recursive: true, force: true });
}

/** Takes away what the recovery needed, and has it follow by these settings whenever it is started. */
export async function finishStandby(folder: string, settings: Readonly<Record<string, string>>): Promise<void> {
  const [data, own] = [dataIn(folder), ownFolderIn(folder)];
  const owner = await ownerOf(data);
  const came = without(await textIn(join(own, 'auto.conf')), (name) => name in settings || isTarget(name));
  await writeOwned(join(data, 'postgresql.auto.conf'), `${came}${settingLines(settings)}`, owner);
  await writeOwned(join(data, 'standby.signal'), '', owner);
  await rm(join(data, 'recovery.signal'), { force: true });
  await rm(own, { recursive: true, force: true });
}

const isTarget = (name: string): boolean => name.startsWith('recovery_target');

function withoutOurs(text: string): string {
  return without(text, (name) => name in forGood || isTarget(name));
}

/** Of what takes the place of its original all else stays as it was. */
function withoutTarget(text: string): string {
  return without(text, isTarget);
}

function without(text: string, isOurs: (name: string) => boolean): string {
  const nameIn = (line: string): string => /^\s*([a-z_]+)\s*=/i.exec(line)?.[1]?.toLowerCase() ?? '';
  const kept = text.split('\n').filter((line) => line !== '' && !isOurs(nameIn(line)));
  return kept.map((line) => `${line}\n`).join('');
}

/** Whom the server has to run as; undefined: as this very user, whom all belongs to. */
export async function ownerOf(data: string): Promise<DataOwner | undefined> {
  if (currentUser().uid !== 0) return undefined;
  const { uid, gid } = await stat(data);
  if (uid !== 0) return { uid, gid };
  throw new HoldfastError('refused', `${data} belongs to root, whom PostgreSQL refuses`, {
    next: `Hand it to the user of the server: \`chown -R postgres: ${data}\`, and run the command again.`,
  });
}

export async function writeOwned(
  path: string,
  text: string,
  owner: DataOwner | undefined,
  mode: number = 0o600,
): Promise<void> {
  await writeFile(path, text, { mode });
  await give(path, owner);
}

async function give(path: string, owner: DataOwner | undefined): Promise<void> {
  if (owner !== undefined) await chown(path, owner.uid, owner.gid);
}

async function textIn(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return '';
    throw error;
  }
}
