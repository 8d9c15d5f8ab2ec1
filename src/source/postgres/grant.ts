import { randomBytes } from 'node:crypto';
import { readFile, unlink } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { parseFields, textOf, type Fields } from '../../bytes/fields.ts';
import { HoldfastError } from '../../errors/error.ts';
import { ForeignFolder, type FileOwner } from '../../host/foreign-folder.ts';
import { hostIdentity, type HostIdentity } from '../../host/identity.ts';
import { makeLasting, syncFolder } from '../../host/lasting.ts';
import { errorCode, reasonOf } from '../../host/system-error.ts';
import { currentUser } from '../../host/users.ts';
import { lookAtDataDirectory, type DataDirectory } from './data-directory.ts';

/**
 * The writer grant: which data directory of which host may write the log of a component. A copy has the identity of its
 * original, system identifier and timeline alike, and would write its own log where the original’s belongs; so the grant
 * stands outside of the data directory, where no copy brings it along, and says what a copy doesn’t share. It is issued
 * by `postgres setup --apply` alone. One grant a host and component: adopting another directory takes it from the first.
 *
 * A device has another number after a start of the host, so that it is compared within one. A whole machine that was
 * cloned with its name and its machine-id is not told from its original.
 */
export type GrantVerdict =
  | { readonly state: 'ok'; readonly directory: DataDirectory }
  /** Nothing may be written: there is no grant yet, it is another's, or it can't be looked at. `next` is for a person. */
  | {
      readonly state: 'refused';
      readonly because: 'none' | 'other' | 'unusable';
      readonly reason: string;
      readonly next: string;
    };

type Refused = Extract<GrantVerdict, { readonly state: 'refused' }>;

interface Grant extends Omit<DataDirectory, 'uid'> {
  readonly host: HostIdentity;
}

/** Whether what stands in this data directory may write the component’s log from here. */
export async function checkGrant(
  stateDir: string,
  component: string,
  dataDirectory: string,
  host = hostIdentity(),
): Promise<GrantVerdict> {
  const refused = (because: Refused['because'], reason: string, next: string): Refused => ({
    state: 'refused',
    because,
    reason: `${component}: ${reason}`,
    next,
  });
  try {
    const grant = await readGrant(stateDir, component);
    if (grant === undefined)
      return refused('none', `no grant to write its log is in ${stateDir}`, firstStep(component));
    const directory = lookAtDataDirectory(dataDirectory);
    const difference = differenceBetween(grant, directory, host);
    if (difference === undefined) return { state: 'ok', directory };
    return refused('other', difference, wayOut(component, dataDirectory));
  } catch (error) {
    if (!(error instanceof HoldfastError)) throw error;
    return refused('unusable', error.message, error.next);
  }
}

/**
 * Whether the grant is for what stood at a path of this host: for a directory that is gone, or no longer tells what it is.
 * Which directory it was, by its inode, nobody knows then.
 */
export async function hadGrant(
  stateDir: string,
  component: string,
  stood: Pick<DataDirectory, 'path' | 'systemIdentifier'>,
  host = hostIdentity(),
): Promise<boolean> {
  try {
    const grant = await readGrant(stateDir, component);
    return grant !== undefined && foreignness(grant, stood, host) === undefined;
  } catch (error) {
    if (!(error instanceof HoldfastError)) throw error;
    return false;
  }
}

/** Gives the grant to this directory, and takes it from any other; there, and lasting, when it resolves. */
export async function issueGrant(
  stateDir: string,
  component: string,
  dataDirectory: string,
  host = hostIdentity(),
): Promise<void> {
  const { uid, ...directory } = lookAtDataDirectory(dataDirectory);
  const grant: Grant = { host, ...directory };
  const path = pathOf(stateDir, component);
  try {
    await makeLasting(dirname(path), 0o700);
    using folder = ForeignFolder.open(dirname(path));
    // The server's user reads it, whoever gave it.
    const owner = currentUser().uid === 0 ? { uid, gid: -1 } : undefined;
    writeLasting(folder, basename(path), { text: `${JSON.stringify({ version: 1, ...grant })}\n`, owner });
    folder.give(owner);
  } catch (error) {
    throw unusable(path, error);
  }
}

/** Takes the grant from whoever has it; lasting when it resolves. Where there is none, that is so already. */
export async function withdrawGrant(stateDir: string, component: string): Promise<void> {
  const path = pathOf(stateDir, component);
  try {
    await unlink(path);
    await syncFolder(dirname(path));
  } catch (error) {
    if (errorCode(error) !== 'ENOENT') throw unusable(path, error);
  }
}

function pathOf(stateDir: string, component: string): string {
  return join(stateDir, 'grants', `${component}.json`);
}

/** The folder is the server's user's from the first time on: nothing is given away by a name in it. */
function writeLasting(
  folder: ForeignFolder,
  name: string,
  { text, owner }: { readonly text: string; readonly owner: FileOwner | undefined },
): void {
  const draft = `${name}.${randomBytes(6).toHex()}.tmp`;
  folder.put(draft, text, { owner });
  folder.sync(draft);
  folder.rename(draft, folder, name);
  folder.sync();
}

async function readGrant(stateDir: string, component: string): Promise<Grant | undefined> {
  const path = pathOf(stateDir, component);
  try {
    return grantOf(parseFields(await readFile(path), path), path);
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return undefined;
    throw unusable(path, error);
  }
}

function grantOf(fields: Fields, what: string): Grant {
  if (fields['version'] !== 1) throw new HoldfastError('unsupported', `${what} is of a later version`);
  const text = (name: string): string => textOf(fields[name], `${what}: ${name}`);
  const { host } = fields;
  const { name, machine, boot } = typeof host === 'object' && host !== null ? { ...host } : ({} as Fields);
  const optional = (value: unknown): string | undefined =>
    value === undefined ? undefined : textOf(value, `${what}: host`);
  return {
    host: { name: textOf(name, `${what}: host`), machine: optional(machine), boot: optional(boot) },
    path: text('path'),
    device: text('device'),
    inode: text('inode'),
    systemIdentifier: text('systemIdentifier'),
  };
}

function differenceBetween(grant: Grant, directory: DataDirectory, host: HostIdentity): string | undefined {
  const foreign = foreignness(grant, directory, host);
  if (foreign !== undefined) return foreign;
  const isSameRun = grant.host.boot !== undefined && grant.host.boot === host.boot;
  if (grant.inode !== directory.inode || (isSameRun && grant.device !== directory.device))
    return `${directory.path} is no longer the directory that had the grant: it was replaced`;
  return undefined;
}

/** By host, path and cluster. */
function foreignness(
  grant: Grant,
  directory: Pick<DataDirectory, 'path' | 'systemIdentifier'>,
  host: HostIdentity,
): string | undefined {
  if (grant.host.name !== host.name || grant.host.machine !== host.machine)
    return `the grant to write its log is of another host, ${grant.host.name}`;
  if (grant.path !== directory.path) return `its log is written by ${grant.path}, not by ${directory.path}`;
  if (grant.systemIdentifier !== directory.systemIdentifier)
    return `${directory.path} holds another cluster now, ${directory.systemIdentifier} in place of ${grant.systemIdentifier}`;
  return undefined;
}

function firstStep(component: string): string {
  return `On the database’s own host, as the user of its server, run \`holdfast postgres setup ${component} --apply\`. Nothing was written.`;
}

function wayOut(component: string, dataDirectory: string): string {
  return (
    `If this is a copy, set archive_mode=off in it. If it has taken production’s place for good: ` +
    `\`holdfast postgres setup ${component} --apply --adopt ${dataDirectory}\`. Nothing was written.`
  );
}

function unusable(path: string, cause: unknown): unknown {
  if (errorCode(cause) === undefined) return cause;
  return new HoldfastError('refused', `the grant ${path} can’t be used: ${reasonOf(cause)}`, { cause });
}
