/**
 * The checksum of a PostgreSQL page (src/include/storage/checksum_impl.h): 32 sums, one a column of 32-bit words, each
 * round s = t·16777619 ^ (t >> 17) with t = s ^ word, then two rounds of zeros; the sums and the block number xored.
 */
// @ts-ignore: decorator
@inline
const largestPage: usize = 32768;

const page = memory.data(32768, 16);

/** Where a caller puts one page, of a power of two from 1 to 32 KiB. */
export function pageAt(): usize {
  return page;
}

export function capacity(): usize {
  return largestPage;
}

// @ts-ignore: decorator
@inline
function round(sum: v128, words: v128): v128 {
  const mixed = v128.xor(sum, words);
  return v128.xor(i32x4.mul(mixed, i32x4.splat(16777619)), i32x4.shr_u(mixed, 17));
}

// @ts-ignore: decorator
@inline
function end(sum: v128): v128 {
  const zeros = i32x4.splat(0);
  return round(round(sum, zeros), zeros);
}

/** What the page's header must hold at offset 8; the page's own value there is taken as zero, and stays. */
export function checksum(length: usize, block: u32): u32 {
  const stored = load<u16>(page, 8);
  store<u16>(page, 0, 8);
  let s0 = i32x4(0x5b1f36e9, 0xb8525960, 0x02ab50aa, 0x1de66d2a);
  let s1 = i32x4(0x79ff467a, 0x9bb9f8a3, 0x217e7cd2, 0x83e13d2c);
  let s2 = i32x4(0xf8d4474f, 0xe39eb970, 0x42c6ae16, 0x993216fa);
  let s3 = i32x4(0x7b093b5d, 0x98daff3c, 0xf718902a, 0x0b1c9cdb);
  let s4 = i32x4(0xe58f764b, 0x187636bc, 0x5d7b3bb1, 0xe73de7de);
  let s5 = i32x4(0x92bec979, 0xcca6c0b2, 0x304a0979, 0x85aa43d4);
  let s6 = i32x4(0x783125bb, 0x6ca8eaa2, 0xe407eac6, 0x4b5cfc3e);
  let s7 = i32x4(0x9fbf8c76, 0x15ca20be, 0xf2ca9fd3, 0x959bd756);
  for (let at = page; at < page + length; at += 128) {
    s0 = round(s0, v128.load(at));
    s1 = round(s1, v128.load(at, 16));
    s2 = round(s2, v128.load(at, 32));
    s3 = round(s3, v128.load(at, 48));
    s4 = round(s4, v128.load(at, 64));
    s5 = round(s5, v128.load(at, 80));
    s6 = round(s6, v128.load(at, 96));
    s7 = round(s7, v128.load(at, 112));
  }
  store<u16>(page, stored, 8);
  const low = v128.xor(v128.xor(end(s0), end(s1)), v128.xor(end(s2), end(s3)));
  const high = v128.xor(v128.xor(end(s4), end(s5)), v128.xor(end(s6), end(s7)));
  const sums = v128.xor(low, high);
  const pair = v128.xor(sums, v128.shuffle<u32>(sums, sums, 2, 3, 0, 1));
  const sum = i32x4.extract_lane(pair, 0) ^ i32x4.extract_lane(pair, 1);
  return ((<u32>sum ^ block) % 65535) + 1;
}
