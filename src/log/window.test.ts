import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { coverFrom, lineageOf } from './cover.ts';
import type { Extent, History, Listing } from './log.ts';
import { neededBases, planWindow, planWindows, type Base, type StreamFacts } from './window.ts';

/** Segments of 16 positions: `at(3)` is [48, 64). */
const at = (number: number, epoch = 1): Extent => ({ epoch, from: BigInt(number * 16), to: BigInt(number * 16 + 16) });
const nothing: Listing = { segments: [], partials: [], gaps: [], histories: [], left: [], pieces: [] };
const history = (epoch: number, parent: number, forkedAt: bigint): History => ({
  ...{ epoch, parent, forkedAt },
  bytes: Buffer.alloc(0),
});
const goesOn = (): undefined => undefined;
const base = (timeNs: bigint, epoch: number, from: bigint): Base => ({ timeNs, epoch, from, to: from + 2n });
const since = (oldestNs: bigint): { nowNs: bigint; lengthNs: bigint } => ({ nowNs: 40n, lengthNs: 40n - oldestNs });

test('a window keeps all that any moment in it needs, and nothing that none does', () => {
  const listing = { ...nothing, segments: [0, 1, 2, 3, 4, 5].map((number) => at(number)) };
  const facts: StreamFacts = { listing, histories: [], endedNs: goesOn };
  const bases = [base(10n, 1, 4n), base(20n, 1, 36n), base(30n, 1, 66n)];
  const passed = (given: readonly Base[], oldestNs: bigint, of = facts): readonly Extent[] =>
    planWindow(of, given, since(oldestNs)).remove;
  assert.deepEqual(passed(bases, 25n), [at(0), at(1)]);
  assert.deepEqual(passed(bases, 5n), [], 'what the oldest base needs stays');
  assert.deepEqual(passed(bases.slice(1), 5n), [at(0), at(1)], 'nothing replays what is before it');
  assert.deepEqual(passed([], 25n), []);
  // The newest base alone may be behind a promotion: what the one before it needs in the window stays.
  const forked = { ...facts, histories: [history(2, 1, 90n)], listing: { ...listing, histories: [2] } };
  assert.deepEqual(passed([...bases, base(26n, 2, 92n)], 25n, forked), [at(0), at(1)]);
  const { remove, lacking } = planWindow(facts, [...bases, base(26n, 2, 92n)], since(25n));
  assert.deepEqual([remove, lacking], [[], [2]], 'nobody knows whence the newest comes');
});

test('a base that a clock hours behind or ahead stamped makes no window shorter, nor those behind it younger', () => {
  const listing = { ...nothing, segments: [0, 1, 2, 3, 4, 5].map((number) => at(number)) };
  const facts: StreamFacts = { listing, histories: [], endedNs: goesOn };
  const [old, within, behind] = [base(10n, 1, 4n), base(22n, 1, 36n), base(3n, 1, 66n)];
  assert.deepEqual(
    planWindow(facts, [old, within, behind], since(20n)).remove,
    [],
    'moments from 20 on begin at `old`',
  );
  assert.ok(neededBases(facts, [old, within, behind], since(20n)).has(old));
  const [before, reset] = [base(20n, 1, 36n), base(-9n, 1, 66n)];
  assert.deepEqual(planWindow(facts, [old, before, reset], since(25n)).remove, [at(0), at(1)], 'it may be of 30');
  assert.ok(neededBases(facts, [old, before, reset], since(25n)).has(before));
  const [first, next] = [base(-8n, 1, 36n), base(-7n, 1, 66n)];
  assert.deepEqual(planWindow(facts, [first, next, base(35n, 1, 82n)], since(25n)).remove, [at(0), at(1)]);
  const settled = [old, before, reset, base(30n, 1, 82n)];
  assert.deepEqual(planWindow(facts, settled, since(31n)).remove, [at(0), at(1), at(2), at(3), at(4)]);
  const ahead = [old, base(500n, 1, 20n), within, base(30n, 1, 66n)];
  assert.deepEqual(planWindow(facts, ahead, since(25n)).remove, [at(0)], 'what it needs itself stays meanwhile');
  const later = { nowNs: 600n, lengthNs: 15n };
  assert.deepEqual(planWindow(facts, ahead, later).remove, [at(0)], 'those behind it may be of now');
  const all = [at(0), at(1), at(2), at(3), at(4)];
  assert.deepEqual(planWindow(facts, [...ahead, base(580n, 1, 82n)], later).remove, all);
});

test('what an epoch wrote behind the fork goes, pieces too, once the window has passed its end', () => {
  const open = { segment: at(4), from: 64n, to: 70n };
  const listing = { ...nothing, segments: [at(1), at(2), at(3), at(2, 2), at(3, 2)], pieces: [open], histories: [2] };
  const ended = (epoch: number): bigint | undefined => (epoch === 1 ? 20n : undefined);
  const facts: StreamFacts = { listing, histories: [history(2, 1, 40n)], endedNs: ended };
  const bases = [base(5n, 1, 18n), base(12n, 1, 50n)];
  assert.deepEqual(planWindow(facts, bases, since(15n)), { remove: [], pieces: [], lacking: [] });
  assert.deepEqual(neededBases(facts, bases, since(15n)), new Set(bases));
  assert.deepEqual(planWindow(facts, bases, since(25n)), { remove: [at(3)], pieces: [open], lacking: [] });
  assert.deepEqual(neededBases(facts, bases, since(25n)), new Set(bases.slice(0, 1)));
  const over = { ...facts, endedNs: (): bigint => 20n };
  assert.deepEqual(planWindow(over, [], since(25n)).remove, listing.segments, 'a stream that is no more');
});

test('a doubt about each older base takes nothing out of a window, and a sound one before it takes their place', () => {
  const listing = { ...nothing, segments: [0, 1, 2, 3, 4, 5].map((number) => at(number)) };
  const facts: StreamFacts = { listing, histories: [], endedNs: goesOn };
  const bases = [base(10n, 1, 4n), base(20n, 1, 36n), base(30n, 1, 66n), base(39n, 1, 82n)];
  const [oldest, root, within, newest] = bases;
  const removed = (sound: readonly Base[], of = facts): readonly Extent[] =>
    planWindows(of, bases, [sound], since(25n)).remove;
  const needed = (sound: readonly (Base | undefined)[], of = facts): ReadonlySet<Base> =>
    neededBases(of, bases, since(25n), (one) => sound.includes(one));
  assert.deepEqual(removed(bases.slice(3)), [at(0), at(1)], 'as if all were sound');
  assert.deepEqual(needed([newest]), new Set([root, within, newest]));
  assert.deepEqual(removed(bases.slice(0, 1)), [], 'the log of the sound one before stays');
  assert.deepEqual(needed([oldest, newest]), new Set([oldest, newest]));
  // The sound one leads no further than to the gap.
  const parted = { ...facts, listing: { ...listing, segments: listing.segments.toSpliced(1, 1) } };
  assert.deepEqual(needed([oldest, newest], parted), new Set([oldest, root, within, newest]));
});

/** A history of up to three epochs, of which something is held, with backups. */
interface Story {
  readonly facts: StreamFacts;
  readonly bases: readonly Base[];
  readonly kept: ReadonlySet<Base>;
  readonly sound: ReadonlySet<Base>;
  /** The same bases, of which some are dated by a clock that had been reset. */
  readonly dated: (base: Base) => Base;
  readonly nowNs: bigint;
  readonly lengthNs: bigint;
  /** When a position of an epoch was written. */
  readonly timeOf: (epoch: number, position: bigint) => bigint;
}

const fraction = fc.integer({ min: 0, max: 100 });
const story = fc
  .record({
    spans: fc.array(fc.record({ fork: fraction, length: fc.integer({ min: 10, max: 200 }), parent: fraction }), {
      minLength: 1,
      maxLength: 3,
    }),
    lost: fc.array(fc.record({ epoch: fraction, number: fraction }), { maxLength: 4 }),
    bases: fc.array(
      fc.record({ epoch: fraction, from: fraction, length: fraction, kept: fc.boolean(), sound: fc.boolean() }),
      { maxLength: 8 },
    ),
    open: fc.boolean(),
    oldest: fraction,
    reset: fc.array(fc.nat({ max: 7 }), { maxLength: 2 }),
    idle: fc.integer({ min: 0, max: 50 }),
  })
  .map(({ spans, lost, bases: given, open, oldest, reset, idle }): Story => {
    const epochs: { epoch: number; parent: number; from: bigint; to: bigint; begunNs: bigint }[] = [];
    let clockNs = 0n;
    for (const [index, { fork, length, parent }] of spans.entries()) {
      const of = epochs[Math.floor((parent * epochs.length) / 101)];
      const from = of === undefined ? 0n : of.from + ((of.to - of.from) * BigInt(fork)) / 100n;
      epochs.push({ epoch: index + 1, parent: of?.epoch ?? 0, from, to: from + BigInt(length), begunNs: clockNs });
      clockNs += BigInt(length);
    }
    const epochAt = (part: number): (typeof epochs)[number] =>
      epochs[Math.floor((part * epochs.length) / 101)] ?? assert.fail();
    const isLost = ({ epoch, from }: Extent): boolean =>
      lost.some((one) => {
        const own = epochAt(one.epoch);
        return (
          own.epoch === epoch && from / 16n === (own.from + ((own.to - own.from) * BigInt(one.number)) / 100n) / 16n
        );
      });
    const whole = epochs.flatMap(({ epoch, from, to }) => {
      const [first, end] = [Number(from / 16n), Number(to / 16n)];
      return Array.from({ length: Math.max(0, end - first) }, (_, index) => at(first + index, epoch));
    });
    const pieces = epochs.flatMap(({ epoch, to }) =>
      open && to % 16n > 0n ? [{ segment: at(Number(to / 16n), epoch), from: to - (to % 16n), to }] : [],
    );
    const histories = epochs.slice(1).map(({ epoch, parent, from }) => history(epoch, parent, from));
    const listing = {
      ...nothing,
      ...{ segments: whole.filter((one) => !isLost(one)), pieces, histories: histories.map(({ epoch }) => epoch) },
    };
    const timeOf: Story['timeOf'] = (epoch, position) => {
      const own = epochs.find((one) => one.epoch === epoch) ?? assert.fail();
      return own.begunNs + position - own.from;
    };
    const bases = given
      .map(({ epoch: part, from: begin, length, kept, sound }) => {
        const { epoch, from: first, to: end } = epochAt(part);
        const from = first + ((end - first) * BigInt(begin)) / 100n;
        const to = from + ((end - from) * BigInt(length)) / 100n;
        return { kept, sound, base: { epoch, from, to, timeNs: timeOf(epoch, to) } };
      })
      .toSorted((a, b) => Number(a.base.timeNs - b.base.timeNs));
    const nowNs = clockNs + BigInt(idle);
    const ended = (epoch: number): bigint | undefined =>
      epoch === epochs.length ? undefined : (epochs[epoch]?.begunNs ?? assert.fail());
    return {
      ...{ facts: { listing, histories, endedNs: ended }, nowNs, timeOf },
      bases: bases.map((one) => one.base),
      dated: datedBy(
        bases.map((one) => one.base),
        reset,
      ),
      kept: new Set(bases.flatMap((one) => (one.kept ? [one.base] : []))),
      sound: new Set(bases.flatMap((one) => (one.sound ? [one.base] : []))),
      lengthNs: (nowNs * BigInt(oldest)) / 100n,
    };
  });

/** Each moment, as epoch and position, that can be brought back, none of them before a time. */
function moments(
  { histories, listing }: StreamFacts,
  bases: Iterable<Base>,
  { timeOf }: Story,
  oldestNs: bigint,
): Set<string> {
  const found = new Set<string>();
  const epochs = new Set([...bases].map(({ epoch }) => epoch));
  for (const { epoch } of [...listing.segments, ...listing.pieces.map(({ segment }) => segment)]) epochs.add(epoch);
  for (const epoch of epochs) {
    const lineage = lineageOf(epoch, histories) ?? assert.fail();
    for (const { epoch: own, to, from } of bases) {
      const on = lineage.epochs.find((one) => one.epoch === own);
      if (on === undefined || (on.to !== undefined && to > on.to)) continue;
      const whole = coverFrom(listing, lineage, from).to;
      const end = whole >= to ? whole : coverFrom(listing, lineage, to).to;
      for (let position = to; position <= end; position++) {
        const of = lineage.epochs.find((one) => one.from <= position) ?? assert.fail();
        const past = of.to ?? position;
        if (position <= past && isWithin(of.epoch, position)) found.add(`${of.epoch} ${position}`);
      }
    }
  }
  return found;

  /** A segment’s unused rest was written by nobody. */
  function isWithin(epoch: number, position: bigint): boolean {
    return timeOf(epoch, position) >= oldestNs;
  }
}

test('whatever is kept and how long the window: what could be brought back within it still can be', () => {
  fc.assert(
    fc.property(story, (told) => {
      const { facts, bases, kept, sound, nowNs, lengthNs } = told;
      const isSound = (one: Base): boolean => sound.has(one);
      const window = { nowNs, lengthNs };
      const before = moments(facts, bases, told, nowNs - lengthNs);
      const ofSound = moments(facts, sound, told, nowNs - lengthNs);
      const needed = neededBases(facts, bases, window, isSound);
      const left = bases.filter((one) => kept.has(one) || needed.has(one));
      const leftSound = left.filter(isSound);
      const { remove, pieces } = planWindows(facts, left, [leftSound], window);
      const { listing } = facts;
      const after: Listing = {
        ...listing,
        segments: listing.segments.filter((one) => !remove.includes(one)),
        pieces: listing.pieces.filter((one) => !pieces.includes(one)),
      };
      const still = moments({ ...facts, listing: after }, left, told, nowNs - lengthNs);
      assert.deepEqual([...before.difference(still)], []);
      const stillSound = moments({ ...facts, listing: after }, leftSound, told, nowNs - lengthNs);
      assert.deepEqual([...ofSound.difference(stillSound)], []);
      // Nor does another run, by what is left, take back what this one kept.
      assert.deepEqual(neededBases(facts, left, window, isSound), new Set(left.filter((one) => needed.has(one))));
    }),
    { numRuns: 500 },
  );
});

/** Decades back, and no two alike. */
function datedBy(bases: readonly Base[], reset: readonly number[]): Story['dated'] {
  const wrong = bases.map((one, index) => (reset.includes(index) ? { ...one, timeNs: BigInt(index) - 1000n } : one));
  return (base) => wrong[bases.indexOf(base)] ?? base;
}

test('whichever clock was reset when a backup was made, what could be brought back within a window still can be', () => {
  fc.assert(
    fc.property(story, (told) => {
      const { facts, bases, kept, dated, nowNs, lengthNs } = told;
      const window = { nowNs, lengthNs, earliestNs: 0n };
      const before = moments(facts, bases, told, nowNs - lengthNs);
      const needed = neededBases(facts, bases.map(dated), window);
      const left = bases.filter((one) => kept.has(one) || needed.has(dated(one)));
      const { remove, pieces } = planWindow(facts, left.map(dated), window);
      const { listing } = facts;
      const after: Listing = {
        ...listing,
        segments: listing.segments.filter((one) => !remove.includes(one)),
        pieces: listing.pieces.filter((one) => !pieces.includes(one)),
      };
      const still = moments({ ...facts, listing: after }, left, told, nowNs - lengthNs);
      assert.deepEqual([...before.difference(still)], []);
    }),
    { numRuns: 500 },
  );
});

test('day by day with few backups kept, a window holds and its log does not grow for ever', () => {
  const day = 1000n;
  const [length, lastKept] = [14n * day, 2];
  let bases: readonly Base[] = [];
  let segments: readonly Extent[] = [];
  for (let today = 1n; today <= 90n; today++) {
    const nowNs = today * day;
    const position = today * 160n;
    segments = [...segments, ...Array.from({ length: 10 }, (_, index) => at(Number(today) * 10 + index))];
    bases = [...bases, { timeNs: nowNs, epoch: 1, from: position, to: position + 2n }];
    const window = { nowNs: nowNs + day / 2n, lengthNs: length };
    const facts: StreamFacts = { listing: { ...nothing, segments }, histories: [], endedNs: goesOn };
    const needed = neededBases(facts, bases, window);
    bases = bases.filter((one, index) => index >= bases.length - lastKept || needed.has(one));
    const passed = planWindow(facts, bases, window).remove;
    segments = segments.filter((one) => !passed.includes(one));
    assert.ok(bases.length <= 11, `${bases.length} backups on day ${today}`);
    if (today < 20n) continue;
    const [oldest] = bases;
    const ageDays = Number(window.nowNs - (oldest?.timeNs ?? 0n)) / Number(day);
    assert.ok(ageDays >= 14 && ageDays <= 17, `the oldest backup is ${ageDays} days old`);
    assert.equal(segments[0]?.from, oldest?.from);
  }
});
