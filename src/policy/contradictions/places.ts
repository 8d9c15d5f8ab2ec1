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

/** A place of a component’s own with the name of a repository would be either; no point goes from one sort to the other. */
export function mixedPlaces({ components, repositories }: Policy): readonly Contradiction[] {
  return Object.entries(components).flatMap(([name, { source, backups }]) => {
    const isOwn = (place: string): boolean => Object.hasOwn(source.places, place);
    const taken = Object.keys(source.places).filter((place) => Object.hasOwn(repositories, place));
    const both = `${taken.join(', ')} is a repository, and a place of its own: one of them needs another name`;
    const clash = taken.length === 0 ? [] : [{ path: ['components', name], key: name, message: both }];
    const mixed = Object.entries(backups).filter(
      ([, { to }]) => Object.keys(to).some(isOwn) && !Object.keys(to).every(isOwn),
    );
    const message = 'names repositories and places of the component’s own: each sort needs a rule of its own';
    return [...clash, ...mixed.map(([rule]) => ({ path: ['components', name, 'backups', rule], key: 'to', message }))];
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
