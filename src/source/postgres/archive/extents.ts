import type { Extent } from '../../../log/log.ts';

/** In their order, each that begins where the one before ends made one with it, where they are alike. */
export function joined<E extends Extent>(
  extents: readonly E[],
  areAlike: (one: E, other: E) => boolean = () => true,
): readonly E[] {
  const all: E[] = [];
  for (const one of extents) {
    const last = all.at(-1);
    if (last?.epoch === one.epoch && last.to === one.from && areAlike(last, one))
      all[all.length - 1] = { ...last, to: one.to };
    else all.push(one);
  }
  return all;
}

/** What is left of an extent without others. */
export function without({ epoch, from, to }: Extent, others: readonly Extent[]): readonly Extent[] {
  let left: readonly Extent[] = [{ epoch, from, to }];
  for (const other of others.filter((one) => meet(one, { epoch, from, to })))
    left = left
      .flatMap((one) => [
        { ...one, to: one.to < other.from ? one.to : other.from },
        { ...one, from: one.from > other.to ? one.from : other.to },
      ])
      .filter((one) => one.from < one.to);
  return left;
}

/** What others have of an extent. */
export function within(extent: Extent, others: readonly Extent[]): readonly Extent[] {
  const of = others.filter((one) => meet(one, extent));
  return joined(
    of.map((one) => ({
      epoch: extent.epoch,
      from: one.from > extent.from ? one.from : extent.from,
      to: one.to < extent.to ? one.to : extent.to,
    })),
  );
}

function meet(one: Extent, other: Extent): boolean {
  return one.epoch === other.epoch && one.from < other.to && other.from < one.to;
}
