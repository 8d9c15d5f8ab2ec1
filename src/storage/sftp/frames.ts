import { broken, mostPacketBytes } from './packet.ts';

/** Cuts what a server sends into packets, without their lengths. */
export async function* framesOf(output: AsyncIterable<Uint8Array>): AsyncGenerator<Buffer, void> {
  let parts: Uint8Array[] = [];
  let held = 0;
  let wanted: number | undefined;
  for await (const chunk of output) {
    parts.push(chunk);
    held += chunk.length;
    if (held < (wanted ?? 4)) continue;
    let bytes = Buffer.concat(parts);
    for (;;) {
      wanted = bytes.length >= 4 ? 4 + lengthOf(bytes) : undefined;
      if (wanted === undefined || bytes.length < wanted) break;
      yield bytes.subarray(4, wanted);
      bytes = bytes.subarray(wanted);
    }
    parts = bytes.length === 0 ? [] : [bytes];
    held = bytes.length;
  }
}

function lengthOf(bytes: Buffer): number {
  const length = bytes.readUInt32BE();
  if (length >= 1 && length <= mostPacketBytes) return length;
  throw broken('something that is no packet; does a login script of the server print?');
}
