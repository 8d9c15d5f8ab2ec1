/** CRC-32C (Castagnoli; RFC 3720, appendix B.4), sixteen bytes a step by sixteen tables. */
// @ts-ignore: decorator
@inline
const largest: usize = 65536;

const tables = memory.data(16 * 256 * 4, 16);
const buffer = memory.data(65536, 16);
const polynomial: u32 = 0x82f63b78;
let prepared = false;

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
  let crc = ~previous;
  let at = buffer;
  const end = buffer + length;
  for (; at + 16 <= end; at += 16) {
    crc =
      four(load<u32>(at) ^ crc, 12) ^
      four(load<u32>(at, 4), 8) ^
      four(load<u32>(at, 8), 4) ^
      four(load<u32>(at, 12), 0);
  }
  for (; at < end; at++) crc = (crc >> 8) ^ entry(0, (crc ^ load<u8>(at)) & 255);
  return ~crc;
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
  prepared = true;
}
