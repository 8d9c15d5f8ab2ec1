import type { PackedBlob } from '../pack.ts';

/** A gap is read along where that is cheaper than another read. */
const standard = { gapBytes: 32 * 1024, groupBytes: 2 * 2 ** 20 };

/** About as much as one request should take. */
const parcelBytes = 2 * 2 ** 20;

export interface HasBlob {
  readonly blob: Pick<PackedBlob, 'offset' | 'length'>;
}

/** Neighbours in a pack, to be read at once: in the pack's order, `offset` to `end`. */
export interface Group<Item> {
  readonly items: readonly Item[];
  readonly offset: number;
  readonly end: number;
}

export function* neighbours<Item extends HasBlob>(items: readonly Item[], limits = standard): Generator<Group<Item>> {
  const sorted = items.toSorted((a, b) => a.blob.offset - b.blob.offset);
  let group: Item[] = [];
  let offset = 0;
  let end = 0;
  for (const item of sorted) {
    const itemEnd = item.blob.offset + item.blob.length;
    const apart = item.blob.offset - end > limits.gapBytes || itemEnd - offset > limits.groupBytes;
    if (group.length > 0 && apart) {
      yield { items: group, offset, end };
      group = [];
    }
    if (group.length === 0) offset = item.blob.offset;
    group.push(item);
    end = group.length === 1 ? itemEnd : Math.max(end, itemEnd);
  }
  if (group.length > 0) yield { items: group, offset, end };
}

/** Shares of what is wanted from one pack, in the pack's order. */
export function* parcels<Item extends HasBlob>(items: readonly Item[]): Generator<readonly Item[]> {
  let parcel: Item[] = [];
  let bytes = 0;
  for (const item of items.toSorted((a, b) => a.blob.offset - b.blob.offset)) {
    parcel.push(item);
    bytes += item.blob.length;
    if (bytes < parcelBytes) continue;
    yield parcel;
    parcel = [];
    bytes = 0;
  }
  if (parcel.length > 0) yield parcel;
}
