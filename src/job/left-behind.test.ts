import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Listing } from '../log/log.ts';
import { noSigns } from '../point/living.ts';
import { leftBehind, whyFollowed } from './left-behind.ts';

const none: Listing = { segments: [], partials: [], gaps: [], histories: [], left: [], pieces: [] };
const segment = (epoch: number, from: bigint) => ({ epoch, from, to: from + 16n });
const text = (position: bigint): string => `at ${position}`;
const first = { lineage: { epochs: [{ epoch: 1, from: 0n, to: undefined }] }, to: 32n };

test('what stands behind a hole of the log, or on a timeline to which nothing leads, is told', () => {
  const whole = { ...none, segments: [segment(1, 0n), segment(1, 16n)] };
  assert.equal(leftBehind({ listing: whole }, first, text), undefined);
  const holed = { ...whole, segments: [...whole.segments, segment(1, 64n), segment(1, 80n)] };
  assert.match(leftBehind({ listing: holed }, first, text) ?? '', /from at 64 on too.*between there and at 32/);
  const piece = { segment: segment(1, 32n), from: 40n, to: 44n };
  assert.match(leftBehind({ listing: { ...whole, pieces: [piece] } }, first, text) ?? '', /from at 40 on/);
  const newer = { ...whole, segments: [...whole.segments, segment(2, 32n)] };
  assert.match(leftBehind({ listing: newer }, first, text) ?? '', /timeline 2 is held too/);
});

test('a log of hundreds of thousands of segments is looked at as a short one is', () => {
  const segments = Array.from({ length: 200_000 }, (_, at) => segment(1, BigInt(at) * 16n));
  const end = BigInt(segments.length) * 16n;
  assert.equal(leftBehind({ listing: { ...none, segments } }, { ...first, to: end }, text), undefined);
  assert.match(leftBehind({ listing: { ...none, segments } }, { ...first, to: end - 16n }, text) ?? '', /is held from/);
});

test('what a timeline that was left wrote behind the fork is no loss', () => {
  const lineage = {
    epochs: [
      { epoch: 2, from: 32n, to: undefined },
      { epoch: 1, from: 0n, to: 32n },
    ],
  };
  const listing = { ...none, segments: [segment(1, 16n), segment(1, 32n), segment(1, 64n), segment(2, 32n)] };
  assert.equal(leftBehind({ listing }, { lineage, to: 48n }, text), undefined);
});

test('a timeline that was left before is no loss, whatever its number; one that goes on and is not followed is', () => {
  const listing = { ...none, segments: [segment(1, 0n), segment(1, 16n), segment(2, 16n)] };
  assert.equal(leftBehind({ listing }, { ...first, living: 1 }, text), undefined);
  assert.match(leftBehind({ listing }, { ...first, living: 2 }, text) ?? '', /timeline 2 is held too/);
  assert.match(leftBehind({ listing }, first, text) ?? '', /timeline 2 is held too/, 'nobody knows which goes on');
});

test('a plan says why it follows its timeline where others are held', () => {
  const listing = { ...none, segments: [segment(1, 0n), segment(2, 16n)], histories: [2] };
  const why = (wish: Parameters<typeof whyFollowed>[2]): string | undefined =>
    whyFollowed({ listing, signs: noSigns }, first, wish);
  assert.equal(why({ living: 1 }), 'timeline 1 is followed: its log, or a backup of it, came last; not followed: 2');
  const signs = { ...noSigns, left: [{ epoch: 2, at: 32n }] };
  assert.match(whyFollowed({ listing, signs }, first, { living: 1 }) ?? '', /an undo went back to it; not followed: 2/);
  assert.match(why({ living: 2, standing: 1 }) ?? '', /^timeline 1 is followed: it is the one that stands there/);
  assert.match(why({ living: 2, epoch: 1 }) ?? '', /it was asked for/);
  assert.match(why({ living: 2 }) ?? '', /the newest that a backup leads to/);
  assert.equal(whyFollowed({ listing: { ...none, segments: [segment(1, 0n)] }, signs: noSigns }, first, {}), undefined);
});
