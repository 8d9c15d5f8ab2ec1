import { existsSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type { LookedAt, Sighting } from '../discover.ts';

/** Folders at usual places that hold something. */
export function sightedFolders({ root, leftOut }: LookedAt): readonly Sighting[] {
  const there = (path: string): boolean => existsSync(join(root, path));
  const filled = (path: string): readonly string[] => filledFolder(root, path);
  const sighted = (name: string, why: string, paths: readonly string[]): readonly Sighting[] =>
    paths.length === 0 ? [] : [sighting(name, why, paths, leftOut)];
  return [
    ...sighted('docker-volumes', 'volumes of Docker', filled('var/lib/docker/volumes')),
    ...sighted('websites', 'what nginx or another server gives out', filled('var/www')),
    ...sighted('services', 'data of services', filled('srv')),
    ...sighted('homes', 'home directories', [...filled('home'), ...filled('root')]),
    ...sighted('configuration', configured(there), filled('etc')),
    ...sighted('cron', 'crontabs of users', filled('var/spool/cron')),
  ];
}

/** A folder is protected by one that it stands in. What an exclude leaves out is the policy's word. */
export function foldersProtect(backedUp: readonly string[], { paths }: Sighting): boolean {
  const folders = backedUp.map((path) => path.replace(/\/+$/, ''));
  const isCovered = (path: string): boolean => folders.some((one) => path === one || path.startsWith(`${one}/`));
  return paths.length > 0 && paths.every(isCovered);
}

function sighting(name: string, why: string, paths: readonly string[], leftOut: LookedAt['leftOut']): Sighting {
  // A repository that backs itself up grows with every backup.
  const exclude = leftOut.filter((folder) => paths.some((path) => folder.startsWith(`${path}/`)));
  const options = { paths, ...(exclude.length === 0 ? {} : { exclude }), 'exclude-caches': true };
  return { name, why, options, remark: '', paths, dumpedBy: undefined };
}

function configured(there: (path: string) => boolean): string {
  const seen = [there('etc/nginx') ? ['nginx'] : [], there('etc/crontab') ? ['cron'] : []].flat();
  return seen.length === 0
    ? 'configuration of this host'
    : `configuration of this host, ${seen.join(' and ')} among it`;
}

/** As it is called on this host; none where it is not there, not readable or empty. */
function filledFolder(root: string, path: string): readonly string[] {
  const at = join(root, path);
  try {
    return statSync(at).isDirectory() && readdirSync(at).length > 0 ? [`/${path}`] : [];
  } catch {
    return [];
  }
}
