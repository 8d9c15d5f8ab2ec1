/**
 * CRC-32C (Castagnoli; RFC 3720, appendix B.4). Few bytes go by sixteen tables, sixteen bytes a step; many are folded, block
 * by block of 128: what stands in a block is replaced by what means the same 128 bytes further on, and added to what stands
 * there, until one block is left. Four bytes that are 32 apart belong together, a word of 32 bits in a basis of its own (16
 * apart they would depend on each other), so that no byte changes its place, and multiplying by x to the 1024th is one
 * linear map for all words of a block: 32 lookups by a nibble, each for sixteen bytes at once.
 */
// @ts-ignore: decorator
@inline
const largest: usize = 65536;

const tables = memory.data(16 * 256 * 4, 16);
const buffer = memory.data(65536, 16);
const polynomial: u32 = 0x82f63b78;
let prepared = false;

// @ts-ignore: decorator
@inline
const blockBytes: usize = 128;
// @ts-ignore: decorator
@inline
const apart: usize = 32;
/** By the place in a word of the byte, by its half and by the place of what comes out: of sixteen nibbles. */
const folds = memory.data(4 * 2 * 4 * 16, 16);
const folded = memory.data(128, 16);

/** Where a caller puts the bytes, up to `capacity` at a time. */
export function bufferAt(): usize {
  return buffer;
}

export function capacity(): usize {
  return largest;
}

/** The CRC of what came before, whose CRC is `previous` (0 at the beginning), and of the buffer's first bytes. */
export function update(previous: u32, length: usize): u32 {
  if (!prepared) prepare();
  const whole = length & ~(blockBytes - 1);
  if (whole <= 2 * blockBytes) return ~byTables(~previous, buffer, buffer + length);
  store<u32>(buffer, load<u32>(buffer) ^ ~previous);
  fold(0, buffer + whole);
  fold(16, buffer + whole);
  return ~byTables(byTables(0, folded, folded + blockBytes), buffer + whole, buffer + length);
}

/** Leaves in `folded` what means the same as all to `end`: of each block the words that begin at `first` and behind it. */
function fold(first: usize, end: usize): void {
  let a = v128.load(buffer + first);
  let b = v128.load(buffer + first, apart);
  let c = v128.load(buffer + first, 2 * apart);
  let d = v128.load(buffer + first, 3 * apart);
  for (let at = buffer + first + blockBytes; at < end; at += blockBytes) {
    const a0 = low(a);
    const a1 = high(a);
    const b0 = low(b);
    const b1 = high(b);
    const c0 = low(c);
    const c1 = high(c);
    const d0 = low(d);
    const d1 = high(d);
    a = v128.xor(v128.load(at), carried(0, a0, a1, b0, b1, c0, c1, d0, d1));
    b = v128.xor(v128.load(at, apart), carried(1, a0, a1, b0, b1, c0, c1, d0, d1));
    c = v128.xor(v128.load(at, 2 * apart), carried(2, a0, a1, b0, b1, c0, c1, d0, d1));
    d = v128.xor(v128.load(at, 3 * apart), carried(3, a0, a1, b0, b1, c0, c1, d0, d1));
  }
  v128.store(folded + first, a);
  v128.store(folded + first, b, apart);
  v128.store(folded + first, c, 2 * apart);
  v128.store(folded + first, d, 3 * apart);
}

// @ts-ignore: decorator
@inline
function low(bytes: v128): v128 {
  return v128.and(bytes, i8x16.splat(15));
}

// @ts-ignore: decorator
@inline
function high(bytes: v128): v128 {
  return v128.and(i16x8.shr_u(bytes, 4), i8x16.splat(15));
}

/** What all bytes of a block add to the bytes at place `to` of the words of the next. */
// @ts-ignore: decorator
@inline
function carried(to: usize, a0: v128, a1: v128, b0: v128, b1: v128, c0: v128, c1: v128, d0: v128, d1: v128): v128 {
  return v128.xor(
    v128.xor(v128.xor(looked(0, 0, to, a0), looked(0, 1, to, a1)), v128.xor(looked(1, 0, to, b0), looked(1, 1, to, b1))),
    v128.xor(v128.xor(looked(2, 0, to, c0), looked(2, 1, to, c1)), v128.xor(looked(3, 0, to, d0), looked(3, 1, to, d1))),
  );
}

/** Nibbles are below 16, where the relaxed form is exact. */
// @ts-ignore: decorator
@inline
function looked(from: usize, half: usize, to: usize, nibble: v128): v128 {
  return i8x16.relaxed_swizzle(v128.load(foldAt(from, half, to)), nibble);
}

// @ts-ignore: decorator
@inline
function foldAt(from: usize, half: usize, to: usize): usize {
  return folds + (from << 7) + (half << 6) + (to << 4);
}

/** The register behind these bytes, where it was `crc` before them: neither is turned round as a CRC is. */
function byTables(crc: u32, from: usize, end: usize): u32 {
  let at = from;
  for (; at + 16 <= end; at += 16) {
    crc =
      four(load<u32>(at) ^ crc, 12) ^
      four(load<u32>(at, 4), 8) ^
      four(load<u32>(at, 8), 4) ^
      four(load<u32>(at, 12), 0);
  }
  for (; at < end; at++) crc = (crc >> 8) ^ entry(0, (crc ^ load<u8>(at)) & 255);
  return crc;
}

// @ts-ignore: decorator
@inline
function four(bytes: u32, following: usize): u32 {
  return (
    entry(following + 3, bytes & 255) ^
    entry(following + 2, (bytes >> 8) & 255) ^
    entry(following + 1, (bytes >> 16) & 255) ^
    entry(following, bytes >> 24)
  );
}

/** What a byte adds to the CRC when `following` bytes come after it. */
// @ts-ignore: decorator
@inline
function entry(following: usize, byte: u32): u32 {
  return load<u32>(tables + (following << 10) + (<usize>byte << 2));
}

function prepare(): void {
  for (let byte: u32 = 0; byte < 256; byte++) {
    let crc = byte;
    for (let bit = 0; bit < 8; bit++) crc = (crc >> 1) ^ (crc & 1 ? polynomial : 0);
    store<u32>(tables + (<usize>byte << 2), crc);
  }
  for (let following: usize = 1; following < 16; following++) {
    for (let byte: u32 = 0; byte < 256; byte++) {
      const before = entry(following - 1, byte);
      store<u32>(tables + (following << 10) + (<usize>byte << 2), (before >> 8) ^ entry(0, before & 255));
    }
  }
  prepareFolds();
  prepared = true;
}

/** The register behind a block, by its highest bit: what of the first word leads there. */
const reduced = memory.data(32 * 4, 16);
const origins = memory.data(32 * 4, 16);

/** What a bit of a word means a block further on, in bits of a word there. */
function prepareFolds(): void {
  for (let bit: u32 = 0; bit < 32; bit++) takeIn(meaning(bit, blockBytes), 1 << bit);
  for (let from: usize = 0; from < 4; from++) {
    for (let half: usize = 0; half < 2; half++) {
      for (let nibble: u32 = 0; nibble < 16; nibble++) {
        let word: u32 = 0;
        for (let bit: u32 = 0; bit < 4; bit++)
          if (nibble & (1 << bit)) word ^= wordOf(meaning((<u32>from << 3) + (<u32>half << 2) + bit, 2 * blockBytes));
        for (let to: usize = 0; to < 4; to++) store<u8>(foldAt(from, half, to) + nibble, (word >> (<u32>to << 3)) & 255);
      }
    }
  }
}

/** The register behind `length` bytes of which this bit of the first word is the only one. */
function meaning(bit: u32, length: usize): u32 {
  let crc = entry(0, 1 << (bit & 7));
  for (let left = length - 1 - (<usize>(bit >> 3) * apart); left > 0; left--) crc = (crc >> 8) ^ entry(0, crc & 255);
  return crc;
}

function takeIn(register: u32, word: u32): void {
  while (register != 0) {
    const at: usize = (31 - <usize>clz(register)) << 2;
    if (load<u32>(reduced + at) == 0) {
      store<u32>(reduced + at, register);
      store<u32>(origins + at, word);
      return;
    }
    register ^= load<u32>(reduced + at);
    word ^= load<u32>(origins + at);
  }
  unreachable(); // 32 bits that don't depend on each other
}

/** The word that means this register. */
function wordOf(register: u32): u32 {
  let word: u32 = 0;
  while (register != 0) {
    const at: usize = (31 - <usize>clz(register)) << 2;
    word ^= load<u32>(origins + at);
    register ^= load<u32>(reduced + at);
  }
  return word;
}
