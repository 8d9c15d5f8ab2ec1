/**
 * Rabin fingerprints over a sliding window of 64 bytes modulo a polynomial P of degree 53 over GF(2): finds the first
 * position whose fingerprint has all bits of a mask zero. The fingerprint at a position depends on the 64 bytes before
 * it alone, so sixteen positions are rolled at once, one a SIMD lane, each through its own part of the region.
 *
 * A step is linear: d' = d·x⁸ + b − out(o)·x⁸ mod P, with b the byte that enters and o the one that leaves the window.
 * So its two inputs that need a table, the top byte of d and o, are looked up nibble by nibble, with one shuffle for
 * each byte of the result. The state is d·x³, which has its top bit at the end of byte 6, a vector a byte.
 */
const windowLength: usize = 64;
const degree = 53;
/** Makes a reduced polynomial end at a byte's edge. */
const alignment = 3;

/** Below, warming sixteen lanes up costs more than they save. */
const smallestLane: usize = 256;
/**
 * Small against the megabyte between two cuts, for what lies behind a cut is rolled in vain; large against the 64
 * bytes of warming up; and no power of two, which would put all lanes into the same lines of the processor's cache.
 */
const largestLane: usize = 4160;

const outTable = memory.data(256 * 8, 16);
const modTable = memory.data(256 * 8, 16);
/** For each byte of the state: what the top byte's low and high nibble and the leaving byte's add to it. */
const nibbles = memory.data(7 * 4 * 16, 16);
/** The bytes of the sixteen lanes, transposed: a vector a step. Groups of 16 steps, the last eight of them. */
const ring = memory.data(8 * 256, 16);

let mask: u64 = 0;

/** Where a caller may put bytes: everything from here on. The window may reach 64 bytes before what it was given. */
export function dataStart(): usize {
  return (__heap_base + windowLength + 63) & ~63;
}

/** `polynomial` has degree 53; `splitMask` has at most the low 29 bits. */
export function prepare(polynomial: u64, splitMask: u64): void {
  mask = splitMask;
  for (let byte: u64 = 0; byte < 256; byte++) {
    let out = byte;
    for (let i: usize = 1; i < windowLength; i++) out = appendZero(out, polynomial);
    store<u64>(outTable + (<usize>byte << 3), out);
    store<u64>(modTable + (<usize>byte << 3), reduce(byte << degree, polynomial) | (byte << degree));
  }
  for (let nibble: u64 = 0; nibble < 16; nibble++) {
    storeNibble(nibble, 0, reduce(nibble << degree, polynomial));
    storeNibble(nibble, 1, reduce(nibble << (degree + 4), polynomial));
    storeNibble(nibble, 2, appendZero(load<u64>(outTable + (<usize>nibble << 3)), polynomial));
    storeNibble(nibble, 3, appendZero(load<u64>(outTable + (<usize>nibble << 7)), polynomial));
  }
}

function storeNibble(nibble: u64, table: usize, polynomial: u64): void {
  const aligned = polynomial << alignment;
  for (let byte: usize = 0; byte < 7; byte++) {
    store<u8>(nibbles + (byte << 6) + (table << 4) + <usize>nibble, <u8>(aligned >> (byte << 3)));
  }
}

function appendZero(value: u64, polynomial: u64): u64 {
  return reduce(value << 8, polynomial);
}

function reduce(value: u64, polynomial: u64): u64 {
  for (let bit = degree + 7; bit >= degree; bit--) {
    if ((value >> bit) & 1) value ^= polynomial << (bit - degree);
  }
  return value;
}

/**
 * The first position p, from < p ≤ to, at which the bytes [p − 64, p) have a fingerprint with all masked bits zero;
 * 0 if there is none.
 */
export function scan(from: usize, to: usize): usize {
  while (to - from >= smallestLane << 4) {
    const laneLength = min(largestLane, ((to - from) >> 8) << 4);
    const found = scanLanes(from, laneLength);
    if (found != 0) return found;
    from += laneLength << 4;
  }
  return from < to ? scanOne(from, to) : 0;
}

/** One lane, byte by byte. */
function scanOne(from: usize, to: usize): usize {
  const splitMask = mask;
  let digest: u64 = 0;
  for (let at = from - windowLength; at < from; at++) digest = append(digest, load<u8>(at));
  for (let at = from; at < to; at++) {
    digest ^= load<u64>(outTable + (<usize>load<u8>(at - windowLength) << 3));
    digest = append(digest, load<u8>(at));
    if ((digest & splitMask) == 0) return at + 1;
  }
  return 0;
}

// @ts-ignore: decorator
@inline
function append(digest: u64, byte: u64): u64 {
  return ((digest << 8) | byte) ^ load<u64>(modTable + (<usize>(digest >> (degree - 8)) << 3));
}

// @ts-ignore: decorator
@inline
function low(a: v128, b: v128): v128 {
  return v128.shuffle<u8>(a, b, 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23);
}

// @ts-ignore: decorator
@inline
function high(a: v128, b: v128): v128 {
  return v128.shuffle<u8>(a, b, 8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31);
}

/** What a nibble adds to byte `byte` of the state. Nibbles are below 16, where the relaxed form is exact. */
// @ts-ignore: decorator
@inline
function lookUp(byte: usize, table: usize, nibble: v128): v128 {
  return i8x16.relaxed_swizzle(v128.load(nibbles + (byte << 6) + (table << 4)), nibble);
}

// @ts-ignore: decorator
@inline
function sum(byte: usize, topLow: v128, topHigh: v128, outLow: v128, outHigh: v128): v128 {
  return v128.xor(
    v128.xor(lookUp(byte, 0, topLow), lookUp(byte, 1, topHigh)),
    v128.xor(lookUp(byte, 2, outLow), lookUp(byte, 3, outHigh)),
  );
}

/** Sixteen parts of `laneLength` bytes (a multiple of 16) from `from` on; as `scan`. */
function scanLanes(from: usize, laneLength: usize): usize {
  const nibbleMask = i8x16.splat(15);
  const mask0 = i8x16.splat(<i8>(mask << alignment));
  const mask1 = i8x16.splat(<i8>(mask >> (8 - alignment)));
  const mask2 = i8x16.splat(<i8>(mask >> (16 - alignment)));
  const mask3 = i8x16.splat(<i8>(mask >> (24 - alignment)));
  const enterLow = i8x16.splat(<i8>0xf8);
  const enterHigh = i8x16.splat(7);
  let s0 = i8x16.splat(0);
  let s1 = s0;
  let s2 = s0;
  let s3 = s0;
  let s4 = s0;
  let s5 = s0;
  let s6 = s0;
  memory.fill(ring, 0, 8 * 256);
  let best: usize = 0;
  let lanes: usize = 16;
  const warm = from - windowLength;
  const steps = laneLength + windowLength;
  for (let group: usize = 0; group < steps; group += 16) {
    const entering = ring + ((group & 127) << 4);
    const leaving = ring + (((group + 64) & 127) << 4);
    transpose(warm + group, laneLength, entering);
    let zeros = i8x16.splat(-1);
    for (let step: usize = 0; step < 256; step += 16) {
      const b = v128.load(entering + step);
      const o = v128.load(leaving + step);
      const topLow = v128.and(s6, nibbleMask);
      const topHigh = v128.and(i16x8.shr_u(s6, 4), nibbleMask);
      const outLow = v128.and(o, nibbleMask);
      const outHigh = v128.and(i16x8.shr_u(o, 4), nibbleMask);
      s6 = v128.xor(s5, sum(6, topLow, topHigh, outLow, outHigh));
      s5 = v128.xor(s4, sum(5, topLow, topHigh, outLow, outHigh));
      s4 = v128.xor(s3, sum(4, topLow, topHigh, outLow, outHigh));
      s3 = v128.xor(s2, sum(3, topLow, topHigh, outLow, outHigh));
      s2 = v128.xor(s1, sum(2, topLow, topHigh, outLow, outHigh));
      s1 = v128.xor(v128.xor(s0, v128.and(i16x8.shr_u(b, 5), enterHigh)), sum(1, topLow, topHigh, outLow, outHigh));
      s0 = v128.xor(v128.and(i16x8.shl(b, 3), enterLow), sum(0, topLow, topHigh, outLow, outHigh));
      const masked = v128.or(
        v128.or(v128.and(s0, mask0), v128.and(s1, mask1)),
        v128.or(v128.and(s2, mask2), v128.and(s3, mask3)),
      );
      zeros = i8x16.min_u(zeros, masked);
    }
    if (group < windowLength || i8x16.all_true(zeros)) continue;
    // Some lane has a hit among these 16 positions. Only lanes before the best one so far can better it.
    const hits = i8x16.bitmask(i8x16.eq(zeros, i8x16.splat(0)));
    for (let lane: usize = 0; lane < lanes; lane++) {
      if (((hits >> <i32>lane) & 1) == 0) continue;
      const at = warm + group + lane * laneLength;
      best = scanOne(at, at + 16);
      lanes = lane;
    }
    if (lanes == 0) break;
  }
  return best;
}

/** Sixteen bytes of each of sixteen lanes, to sixteen vectors of one byte a lane. */
function transpose(from: usize, laneLength: usize, target: usize): void {
  const l8 = from + (laneLength << 3);
  const r0 = v128.load(from);
  const r1 = v128.load(from + laneLength);
  const r2 = v128.load(from + laneLength * 2);
  const r3 = v128.load(from + laneLength * 3);
  const r4 = v128.load(from + laneLength * 4);
  const r5 = v128.load(from + laneLength * 5);
  const r6 = v128.load(from + laneLength * 6);
  const r7 = v128.load(from + laneLength * 7);
  const r8 = v128.load(l8);
  const r9 = v128.load(l8 + laneLength);
  const r10 = v128.load(l8 + laneLength * 2);
  const r11 = v128.load(l8 + laneLength * 3);
  const r12 = v128.load(l8 + laneLength * 4);
  const r13 = v128.load(l8 + laneLength * 5);
  const r14 = v128.load(l8 + laneLength * 6);
  const r15 = v128.load(l8 + laneLength * 7);
  half(low(r0, r8), low(r1, r9), low(r2, r10), low(r3, r11), low(r4, r12), low(r5, r13), low(r6, r14), low(r7, r15), target);
  half(high(r0, r8), high(r1, r9), high(r2, r10), high(r3, r11), high(r4, r12), high(r5, r13), high(r6, r14), high(r7, r15), target + 128);
}

// @ts-ignore: decorator
@inline
function half(a0: v128, a1: v128, a2: v128, a3: v128, a4: v128, a5: v128, a6: v128, a7: v128, target: usize): void {
  quarter(low(a0, a4), low(a1, a5), low(a2, a6), low(a3, a7), target);
  quarter(high(a0, a4), high(a1, a5), high(a2, a6), high(a3, a7), target + 64);
}

// @ts-ignore: decorator
@inline
function quarter(a0: v128, a1: v128, a2: v128, a3: v128, target: usize): void {
  const b0 = low(a0, a2);
  const b1 = low(a1, a3);
  const b2 = high(a0, a2);
  const b3 = high(a1, a3);
  v128.store(target, low(b0, b1));
  v128.store(target + 16, high(b0, b1));
  v128.store(target + 32, low(b2, b3));
  v128.store(target + 48, high(b2, b3));
}
