/**
 * What sealing a small blob needs beside AES, whose hardware only Node's own crypto reaches: counters, the sum with the
 * keystream, and Poly1305 (RFC 8439, section 2.5). A native cipher and a native MAC cost some µs each to set up,
 * whatever the length; this has no set-up. Beyond 4 KiB the native ones are faster.
 *
 * One message at a time: `iv ‖ text ‖ MAC` from `sealedAt` on, its keystream's blocks at `blocksAt`.
 */
const ivLength: usize = 16;

// @ts-ignore: decorator
@inline
const largest: usize = 4096;

const oneTimeKey = memory.data(32, 16);
const sealed = memory.data(32 + 4096, 16);
const blocks = memory.data(4096, 16);

export function oneTimeKeyAt(): usize {
  return oneTimeKey;
}

export function sealedAt(): usize {
  return sealed;
}

export function blocksAt(): usize {
  return blocks;
}

/** The longest text, bytes. */
export function capacity(): usize {
  return largest;
}

/** Writes the counters of a text of this length: the IV as a big-endian number, and those after it, modulo 2^128. */
export function writeCounters(length: usize): void {
  let high = bswap<u64>(load<u64>(sealed));
  let low = bswap<u64>(load<u64>(sealed, 8));
  for (let at: usize = 0; at < length; at += 16) {
    store<u64>(blocks + at, bswap<u64>(high));
    store<u64>(blocks + at, bswap<u64>(low), 8);
    low += 1;
    if (low == 0) high += 1;
  }
}

/** Adds the blocks to the text: enciphers and deciphers. */
export function addBlocks(length: usize): void {
  const text = sealed + ivLength;
  for (let at: usize = 0; at < length; at += 16) {
    v128.store(text + at, v128.xor(v128.load(text + at), v128.load(blocks + at)));
  }
}

/** Writes the text's MAC behind it. */
export function authenticate(length: usize): void {
  poly1305(sealed + ivLength, length, sealed + ivLength + length);
}

/** Whether the MAC behind the text is right; takes the same time wherever it is wrong. */
export function isAuthentic(length: usize): bool {
  const given = sealed + ivLength + length;
  poly1305(sealed + ivLength, length, blocks);
  return ((load<u64>(given) ^ load<u64>(blocks)) | (load<u64>(given, 8) ^ load<u64>(blocks, 8))) == 0;
}

const limb: u64 = 0x3ffffff;

/** In limbs of 26 bits, so that five products of 52 bits and their carries fit into 64. `target` may follow the text. */
function poly1305(text: usize, length: usize, target: usize): void {
  const k0 = load<u64>(oneTimeKey) & 0x0ffffffc0fffffff;
  const k1 = load<u64>(oneTimeKey, 8) & 0x0ffffffc0ffffffc;
  const r0 = k0 & limb;
  const r1 = (k0 >> 26) & limb;
  const r2 = ((k0 >> 52) | (k1 << 12)) & limb;
  const r3 = (k1 >> 14) & limb;
  const r4 = k1 >> 40;
  const s1 = r1 * 5;
  const s2 = r2 * 5;
  const s3 = r3 * 5;
  const s4 = r4 * 5;
  let h0: u64 = 0;
  let h1: u64 = 0;
  let h2: u64 = 0;
  let h3: u64 = 0;
  let h4: u64 = 0;
  for (let at: usize = 0; at < length; at += 16) {
    const left = length - at;
    let t0 = load<u64>(text + at);
    let t1 = load<u64>(text + at, 8);
    let top: u64 = 1 << 24;
    if (left < 16) {
      // The last block ends with a one bit behind its last byte.
      const bits = <u64>left << 3;
      top = 0;
      if (bits < 64) {
        t0 = (t0 & (((<u64>1) << bits) - 1)) | ((<u64>1) << bits);
        t1 = 0;
      } else {
        t1 = (t1 & (((<u64>1) << (bits - 64)) - 1)) | ((<u64>1) << (bits - 64));
      }
    }
    h0 += t0 & limb;
    h1 += (t0 >> 26) & limb;
    h2 += ((t0 >> 52) | (t1 << 12)) & limb;
    h3 += (t1 >> 14) & limb;
    h4 += (t1 >> 40) | top;
    const d0 = h0 * r0 + h1 * s4 + h2 * s3 + h3 * s2 + h4 * s1;
    const d1 = h0 * r1 + h1 * r0 + h2 * s4 + h3 * s3 + h4 * s2 + (d0 >> 26);
    const d2 = h0 * r2 + h1 * r1 + h2 * r0 + h3 * s4 + h4 * s3 + (d1 >> 26);
    const d3 = h0 * r3 + h1 * r2 + h2 * r1 + h3 * r0 + h4 * s4 + (d2 >> 26);
    const d4 = h0 * r4 + h1 * r3 + h2 * r2 + h3 * r1 + h4 * r0 + (d3 >> 26);
    h0 = (d0 & limb) + (d4 >> 26) * 5;
    h1 = (d1 & limb) + (h0 >> 26);
    h0 &= limb;
    h2 = d2 & limb;
    h3 = d3 & limb;
    h4 = d4 & limb;
  }
  finish(h0, h1, h2, h3, h4, target);
}

/** Reduces modulo 2^130 − 5, adds s, keeps 128 bits. */
function finish(h0: u64, h1: u64, h2: u64, h3: u64, h4: u64, target: usize): void {
  h2 += h1 >> 26;
  h1 &= limb;
  h3 += h2 >> 26;
  h2 &= limb;
  h4 += h3 >> 26;
  h3 &= limb;
  h0 += (h4 >> 26) * 5;
  h4 &= limb;
  h1 += h0 >> 26;
  h0 &= limb;
  // h + 5 − 2^130: not negative when h was not reduced.
  let g0 = h0 + 5;
  let g1 = h1 + (g0 >> 26);
  let g2 = h2 + (g1 >> 26);
  let g3 = h3 + (g2 >> 26);
  const g4 = h4 + (g3 >> 26) - (1 << 26);
  const keep = <u64>0 - (g4 >> 63);
  h0 = (h0 & keep) | (g0 & limb & ~keep);
  h1 = (h1 & keep) | (g1 & limb & ~keep);
  h2 = (h2 & keep) | (g2 & limb & ~keep);
  h3 = (h3 & keep) | (g3 & limb & ~keep);
  h4 = (h4 & keep) | (g4 & limb & ~keep);
  const low = h0 | (h1 << 26) | (h2 << 52);
  const high = (h2 >> 12) | (h3 << 14) | (h4 << 40);
  const sum = low + load<u64>(oneTimeKey, 16);
  const carry = <u64>(sum < low);
  store<u64>(target, sum);
  store<u64>(target, high + load<u64>(oneTimeKey, 24) + carry, 8);
}
