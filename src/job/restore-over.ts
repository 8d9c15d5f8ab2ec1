import { rawPathOf, displayPath } from '../bytes/ids.ts';
import type { RecoverablePoint } from '../point/point.ts';
import { growthByRestore, type RestoreOptions, type RestoreOutcome, type Select } from '../snapshot/restore.ts';
import type { OverExtent, OverPart } from '../source/in-place.ts';
import { byId, fromCopies, type ComponentRestoreOptions } from './component-restore.ts';
import { contextIn, type ComponentContext } from './component.ts';
import { only, whole } from './find-replacement.ts';
import { withNamedTree } from './named-tree.ts';
import { restoreToFolder } from './restore.ts';
import { sumOf } from './restore-in-order.ts';

export interface OverOptions extends OverExtent {
  /** Below the snapshot: what the first part is filled by. */
  readonly within: string;
  /** Below the place: what nothing starts without. */
  readonly key: string;
  readonly onCopy: ComponentRestoreOptions['onCopy'];
}

/**
 * Has each part of a place hold what a point holds, but for `key` and what stays: by content, so that what is there
 * already is left. What the point doesn't hold is removed first.
 */
export async function restoreOver(
  context: ComponentContext,
  point: RecoverablePoint,
  options: OverOptions,
): Promise<RestoreOutcome> {
  return await inParts(context, point, options, (part) => optionsFor(part, options));
}

/** Only what nothing starts without. */
export async function restoreKey(
  context: ComponentContext,
  point: RecoverablePoint,
  { within, key, parts: [place], keeps, onCopy }: OverOptions,
): Promise<RestoreOutcome> {
  const parts = place === undefined ? [] : [place];
  return await inParts(context, point, { within, key, parts, keeps, onCopy }, () => ({
    ...only(`/${key}`),
    extras: 'keep',
  }));
}

/** By how many bytes the disk of each part fills up. */
export async function growthOver(
  context: ComponentContext,
  point: RecoverablePoint,
  options: OverOptions,
): Promise<ReadonlyMap<OverPart, number>> {
  const growth = new Map<OverPart, number>();
  await fromCopies(context, point, options.onCopy, async ({ repository, snapshot }) => {
    const outcomes: RestoreOutcome = nothing;
    for (const part of options.parts)
      await withNamedTree(
        contextIn(context, repository),
        nameOf(snapshot.id, part, options),
        byId,
        async (...found) => {
          const [opened, { tree }, signal] = found;
          const { listener } = context;
          const [target, own] = [rawPathOf(part.to), optionsFor(part, options)];
          growth.set(part, await growthByRestore({ repository: opened, tree, target, options: own, listener, signal }));
        },
      );
    return outcomes;
  });
  return growth;
}

const nothing: RestoreOutcome = {
  ...{ totalItems: 0, restoredItems: 0, skippedItems: 0, deletedItems: 0, failures: 0 },
  ...{ totalBytes: 0, restoredBytes: 0, skippedBytes: 0 },
  notPreserved: new Map(),
};

async function inParts(
  context: ComponentContext,
  point: RecoverablePoint,
  options: OverOptions,
  optionsOf: (part: OverPart) => RestoreOptions,
): Promise<RestoreOutcome> {
  return await fromCopies(context, point, options.onCopy, async ({ repository, snapshot }) => {
    let all = nothing;
    for (const part of options.parts) {
      const name = nameOf(snapshot.id, part, options);
      const given = { name, find: byId, target: rawPathOf(part.to), restore: optionsOf(part) };
      all = sumOf(all, await restoreToFolder(contextIn(context, repository), given));
    }
    return all;
  });
}

function nameOf(snapshot: string, { from }: OverPart, { within }: OverOptions): string {
  return `${snapshot}:/${within}${from === '' ? '' : `/${from}`}`;
}

/** Of the place itself some stays; of what stands elsewhere only what its disk, and no source, has there. */
function optionsFor({ from }: OverPart, { keeps, key }: OverOptions): RestoreOptions {
  const stays = new Set([...keeps, key].map((path) => `/${path}`));
  const staysAt = from === '' ? (path: string) => stays.has(path) : (path: string) => ofDisk.test(path);
  const select: Select = (location, type) => {
    const selected = !staysAt(displayPath(location));
    return { selected, childrenMayBe: selected && type === 'directory' };
  };
  return { ...whole, extras: 'delete first', select };
}

/** At the top of a disk of its own: what is found by a repair of it, snapshots, and the like. */
const ofDisk = /^\/(?:lost\+found|\.[^/]*)$/;
