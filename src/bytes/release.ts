/**
 * Frees the memory of bytes that are used no more, where they are all of their buffer. The collector would free it too,
 * but late: it sees some small objects, not the megabytes behind them.
 */
export function release(bytes: Uint8Array): void {
  const { buffer } = bytes;
  if (buffer instanceof ArrayBuffer && buffer.byteLength === bytes.byteLength) buffer.transfer(0);
}
