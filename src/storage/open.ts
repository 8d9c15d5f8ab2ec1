import { HoldfastError } from '../errors/error.ts';
import { openLocal } from './local.ts';
import type { StorageSettings } from './settings.ts';
import type { Storage } from './storage.ts';

/** restic's schemes that don't open yet. */
const notBuilt: readonly string[] = ['azure', 'b2', 'gs', 'rclone', 'rest', 's3', 'sftp', 'swift'];

/**
 * Opens the storage at an address in restic's form: a path, `local:path`, or `scheme:…`. Anything else with a colon
 * is 'usage', as in restic: a folder of such a name needs `local:`.
 */
export async function openStorage(url: string, settings: StorageSettings = {}): Promise<Storage> {
  return openLocal(localPathOf(url), settings);
}

function localPathOf(url: string): string {
  const colon = url.indexOf(':');
  const scheme = url.slice(0, Math.max(0, colon));
  if (scheme === 'local') return nonEmpty(url.slice(colon + 1));
  if (notBuilt.includes(scheme)) {
    throw new HoldfastError('unsupported', `storages with ${scheme}: are not built yet; a local folder works`);
  }
  const isPath = url.startsWith('/') || url.startsWith('../') || url.startsWith('./');
  if (colon >= 0 && !isPath) {
    throw new HoldfastError(
      'usage',
      `unknown kind of storage ${JSON.stringify(`${scheme}:`)}; for a folder of that name write local:PATH`,
    );
  }
  return nonEmpty(url);
}

function nonEmpty(path: string): string {
  if (path === '') throw new HoldfastError('usage', 'the address of the repository is empty');
  return path;
}
