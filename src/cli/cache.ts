import { defaultCacheFolder } from '../repository/cache-folder.ts';
import type { Context } from './context.ts';

/** The folder of all caches; undefined when none is to be used. What is there now is no cache of an earlier time. */
export function cacheFolder({ globals, environment }: Context): string | undefined {
  return globals.noCache || globals.asOf !== undefined
    ? undefined
    : (globals.cacheDir ?? defaultCacheFolder(environment));
}
