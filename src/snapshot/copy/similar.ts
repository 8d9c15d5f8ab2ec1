import type { FileId } from '../../bytes/ids.ts';
import type { Snapshot } from '../snapshot.ts';

export interface Copies {
  /** The copy of a snapshot that another run made, whichever tool ran. */
  similarTo(snapshot: Snapshot): Snapshot | undefined;
}

/** A snapshot's identity in every repository is the first one's ID, which `original` keeps. */
export function originalOf({ id, original }: Snapshot): FileId {
  return original ?? id;
}

export function copiesIn(present: readonly Snapshot[]): Copies {
  const byIdentity = new Map<FileId, Snapshot[]>();
  for (const snapshot of present) {
    for (const identity of new Set([snapshot.id, originalOf(snapshot)])) {
      byIdentity.set(identity, [...(byIdentity.get(identity) ?? []), snapshot]);
    }
  }
  return {
    similarTo: (snapshot) => byIdentity.get(originalOf(snapshot))?.find((other) => isSimilar(other, snapshot)),
  };
}

/** As restic tells copies: all that it compares but parent and original. */
function isSimilar(a: Snapshot, b: Snapshot): boolean {
  return (
    a.timeNs === b.timeNs &&
    a.tree === b.tree &&
    a.hostname === b.hostname &&
    a.username === b.username &&
    a.uid === b.uid &&
    a.gid === b.gid &&
    holdsSame(a.paths, b.paths) &&
    holdsSame(a.tags, b.tags) &&
    a.excludes.length === b.excludes.length &&
    a.excludes.every((exclude, at) => exclude === b.excludes[at])
  );
}

/** In any order. */
function holdsSame(a: readonly string[], b: readonly string[]): boolean {
  return a.length === b.length && b.every((item) => a.includes(item));
}
