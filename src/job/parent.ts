import { displayPath, type RawPath } from '../bytes/ids.ts';
import type { GroupBy } from '../retention/group.ts';
import type { Snapshot } from '../snapshot/snapshot.ts';
import { anySnapshot, findLatest, findSnapshot, type SnapshotFiles } from '../snapshot/snapshots.ts';

/** Which snapshot unchanged files are taken over from. */
export type ParentChoice =
  /** Every file is read. */
  | { readonly kind: 'none' }
  | { readonly kind: 'named'; readonly name: string; readonly now: Temporal.ZonedDateTime }
  /** The newest, not after the backup's own time, that shares what is grouped by; of tags these, where they are named. */
  | { readonly kind: 'latest'; readonly groupBy: GroupBy; readonly tags?: readonly string[] };

interface About {
  readonly hostname: string;
  readonly paths: readonly RawPath[];
  readonly tags: readonly string[];
  readonly timeNs: bigint;
}

export async function findParent(
  files: SnapshotFiles,
  choice: ParentChoice,
  about: About,
): Promise<Snapshot | undefined> {
  if (choice.kind === 'none') return undefined;
  if (choice.kind === 'named') {
    const filter = { ...anySnapshot, notAfterNs: about.timeNs };
    return (await findSnapshot(files, choice.name, { filter, now: choice.now })).snapshot;
  }
  return await findLatest(files, {
    hosts: choice.groupBy.host ? [about.hostname] : [],
    paths: choice.groupBy.paths ? about.paths.map(displayPath) : [],
    tagLists: choice.groupBy.tags ? [choice.tags ?? about.tags] : [],
    notAfterNs: about.timeNs,
  });
}
