import { existsSync, realpathSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';

/** A place, by a path that leads through no link. What is gone stood in a folder that is there; without that as it is said. */
export function withoutLinks(place: string): string {
  if (existsSync(place)) return realpathSync(place);
  const folder = dirname(place);
  return existsSync(folder) ? join(realpathSync(folder), basename(place)) : place;
}
