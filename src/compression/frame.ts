/** What a zstd frame says of itself, from RFC 8878, sections 3.1.1 and 3.1.1.2. */
export interface FrameShape {
  /** Undefined where the frame doesn't tell. */
  readonly contentLength: number | undefined;
  /** Memory that a decoder needs to look back. */
  readonly windowBytes: number;
  /** Where the frame ends; undefined where its bytes end first. */
  readonly frameLength: number | undefined;
  /** It can't hold more than this, by the number of its blocks. */
  readonly contentAtMost: number;
}

const magic = 0xfd2fb528;
const contentFieldLengths: readonly number[] = [0, 2, 4, 8];
const dictionaryFieldLengths: readonly number[] = [0, 1, 2, 4];
/** A block never holds more (section 3.1.1.2.4). */
const maxBlockBytes = 2 ** 17;

/** Undefined for what doesn't begin like a zstd frame. */
export function frameShape(bytes: Uint8Array): FrameShape | undefined {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (view.byteLength < 6 || view.getUint32(0, true) !== magic) return undefined;
  const descriptor = view.getUint8(4);
  const singleSegment = (descriptor & 0x20) !== 0;
  const windowField = singleSegment ? 0 : 1;
  const dictionaryField = dictionaryFieldLengths[descriptor & 3] ?? 0;
  const contentField = descriptor >> 6 === 0 && singleSegment ? 1 : (contentFieldLengths[descriptor >> 6] ?? 0);
  const contentAt = 5 + windowField + dictionaryField;
  const blocksAt = contentAt + contentField;
  if (view.byteLength < blocksAt) return undefined;
  const contentLength = readContentLength(view, contentAt, contentField);
  const windowBytes = singleSegment ? (contentLength ?? 0) : windowOf(view.getUint8(5));
  const checksumLength = (descriptor & 4) !== 0 ? 4 : 0;
  const { end, blocks } = walkBlocks(view, blocksAt);
  const frameLength = end + checksumLength <= view.byteLength ? end + checksumLength : undefined;
  return { contentLength, windowBytes, frameLength, contentAtMost: blocks * maxBlockBytes };
}

function readContentLength(view: DataView, at: number, fieldLength: number): number | undefined {
  if (fieldLength === 0) return undefined;
  if (fieldLength === 1) return view.getUint8(at);
  if (fieldLength === 2) return view.getUint16(at, true) + 256;
  if (fieldLength === 4) return view.getUint32(at, true);
  return Number(view.getBigUint64(at, true));
}

function windowOf(descriptor: number): number {
  const base = 2 ** (10 + (descriptor >> 3));
  return base + (base / 8) * (descriptor & 7);
}

const rleBlock = 1;

function walkBlocks(view: DataView, blocksAt: number): { readonly end: number; readonly blocks: number } {
  let at = blocksAt;
  for (let blocks = 1; at + 3 <= view.byteLength; blocks += 1) {
    const header = view.getUint16(at, true) | (view.getUint8(at + 2) << 16);
    const isLast = (header & 1) === 1;
    at += 3 + (((header >> 1) & 3) === rleBlock ? 1 : header >> 3);
    if (isLast) return { end: at, blocks };
  }
  return { end: Infinity, blocks: 0 };
}
