import { existsSync, realpathSync } from 'node:fs';
import { dirname, join } from 'node:path';

/** The data directory that a folder is, or lies in. The folder itself need not be there. */
export function livingAbove(folder: string): string | undefined {
  if (!existsSync(folder)) return livingAbove(dirname(folder));
  for (let at = realpathSync(folder); ; at = dirname(at)) {
    if (['PG_VERSION', 'global/pg_control'].every((name) => existsSync(join(at, name)))) return at;
    if (at === dirname(at)) return undefined;
  }
}
