import type { Policy } from '../policy.ts';
import { holdsOwnKeys } from '../kinds-of-repositories.ts';
import type { Contradiction } from './contradictions.ts';

/** Two names for one repository are one copy, not two. */
export function sameAddress({ repositories }: Policy): readonly Contradiction[] {
  const first = new Map<string, string>();
  return Object.entries(repositories).flatMap(([name, { url }]) => {
    const address = url.replace(/^local:/, '').replace(/\/+$/, '');
    const other = first.get(address);
    first.set(address, other ?? name);
    if (other === undefined) return [];
    return [
      { path: ['repositories', name, 'url'], message: `is the address of ${other}: two names are not two copies` },
    ];
  });
}

/** A log has keys of its own, which restic’s REST protocol can’t hold. */
export function logsNowhere({ components, repositories }: Policy): readonly Contradiction[] {
  return Object.entries(components).flatMap(([name, { log }]) =>
    Object.keys(log?.to ?? {}).flatMap((place) => {
      const repository = repositories[place];
      if (repository === undefined || holdsOwnKeys(repository)) return [];
      const message = `${place} can’t hold a log: over REST and rclone it takes snapshots only`;
      return [{ path: ['components', name, 'log', 'to'], key: place, message }];
    }),
  );
}
