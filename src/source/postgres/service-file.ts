import { readFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { HoldfastError } from '../../errors/error.ts';
import { errorCode, reasonOf } from '../../host/system-error.ts';

/**
 * What a service of libpq's stands for, from the first file that has it: the one that is named, else that of the user, then
 * that of the host. 'refused' where none has it. https://www.postgresql.org/docs/18/libpq-pgservice.html
 */
export async function serviceOf(name: string, named: string | undefined): Promise<ReadonlyMap<string, string>> {
  for (const path of serviceFiles(named)) {
    const text = await textIn(path);
    const found = text === undefined ? undefined : serviceIn(text, name);
    if (found !== undefined) return found;
  }
  throw new HoldfastError('refused', `no file of services has the service ${name}`, {
    next: `Looked for it in ${serviceFiles(named).join(', ')}. Nothing was changed.`,
  });
}

function serviceFiles(named: string | undefined): readonly string[] {
  const { PGSERVICEFILE: file = '', PGSYSCONFDIR: folder = '' } = process.env;
  const own = named ?? (file === '' ? join(homedir(), '.pg_service.conf') : file);
  const common = folder === '' ? ['/etc/postgresql-common', '/etc'] : [folder];
  return [own, ...common.map((one) => join(one, 'pg_service.conf'))];
}

async function textIn(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, 'utf8');
  } catch (cause) {
    if (['ENOENT', 'ENOTDIR', 'EACCES'].includes(errorCode(cause) ?? '')) return undefined;
    throw new HoldfastError('refused', `the file of services ${path} can’t be read: ${reasonOf(cause)}`, { cause });
  }
}

/** The parameters of a service; the first of a name counts, as with libpq. */
function serviceIn(text: string, name: string): ReadonlyMap<string, string> | undefined {
  const lines = text.split('\n').map((line) => line.trim());
  const begin = lines.indexOf(`[${name}]`);
  if (begin < 0) return undefined;
  const found = new Map<string, string>();
  for (const line of lines.slice(begin + 1)) {
    if (line.startsWith('[')) break;
    const [, key = '', value = ''] = /^([a-z_]+)\s*=(.*)$/.exec(line) ?? [];
    if (key !== '' && !found.has(key)) found.set(key, value);
  }
  return found;
}
