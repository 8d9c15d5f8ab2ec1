import { defaultCacheFolder } from '../repository/cache-folder.ts';
import type { Context } from './context.ts';

/** The folder of all caches; undefined when none is to be used. */
export function cacheFolder({ globals, environment }: Context): string | undefined {
  return globals.noCache ? undefined : (globals.cacheDir ?? defaultCacheFolder(environment));
}
