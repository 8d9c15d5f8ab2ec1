import type { Snapshot, SnapshotFields } from './snapshot.ts';

export type TagChange =
  | { readonly set: readonly string[] }
  | { readonly add: readonly string[]; readonly remove: readonly string[] };

/**
 * The snapshot to be written in place of `snapshot`, naming it (or what it came from) as its original; undefined
 * when nothing changes. Setting the one tag '' takes all away.
 */
export function withTags(snapshot: Snapshot, change: TagChange): SnapshotFields | undefined {
  const tags =
    'set' in change ? change.set.filter((tag) => tag !== '') : merged(snapshot.tags, change.add, change.remove);
  if (!('set' in change) && tags.join('\0') === snapshot.tags.join('\0')) return undefined;
  return { ...snapshot, tags, original: snapshot.original ?? snapshot.id };
}

function merged(tags: readonly string[], add: readonly string[], remove: readonly string[]): readonly string[] {
  return [...new Set([...tags, ...add])].filter((tag) => !remove.includes(tag));
}
