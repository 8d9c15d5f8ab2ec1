import { moved } from '../../flow/stall.ts';
import { throttled, type Throttle } from '../throttle.ts';
import type { Handle, SftpClient } from './client.ts';

/** Every server takes and gives this much at once. */
const chunkBytes = 32 * 1024;
/** Chunks on their way, of one file: 2 MiB fill a line of 300 Mbit/s with 50 ms. */
const chunksAtOnce = 64;

export interface Pace {
  readonly throttle?: Throttle | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** Writes a file from its beginning, many chunks at once. */
export async function writeAll(
  client: SftpClient,
  handle: Handle,
  data: readonly Uint8Array[],
  { throttle, signal }: Pace,
): Promise<void> {
  const flow = new Flow(signal);
  let offset = 0;
  for await (const piece of throttled(data, throttle, signal)) {
    for (let at = 0; at < piece.length; at += chunkBytes) {
      const chunk = piece.subarray(at, at + chunkBytes);
      const start = offset;
      offset += chunk.length;
      await flow.begin(() => client.write(handle, start, chunk));
    }
  }
  await flow.end();
}

/** Reads `length` bytes, many chunks at once; fewer when the file ends before. */
export async function readAll(
  client: SftpClient,
  handle: Handle,
  range: { readonly offset: number; readonly length: number },
  { throttle, signal }: Pace,
): Promise<Uint8Array> {
  const flow = new Flow(signal);
  const bytes = Buffer.allocUnsafeSlow(range.length);
  let end = range.length;
  const readChunk = async (from: number, to: number): Promise<void> => {
    for (let at = from; at < to;) {
      const part = await client.read(handle, range.offset + at, to - at);
      if (part.length === 0) end = Math.min(end, at);
      if (part.length === 0) return;
      part.copy(bytes, at);
      at += part.length;
    }
  };
  for (let at = 0; at < end; at += chunkBytes) {
    const [from, to] = [at, Math.min(at + chunkBytes, range.length)];
    await throttle?.take(to - from, signal);
    await flow.begin(() => readChunk(from, to));
  }
  await flow.end();
  return bytes.subarray(0, end);
}

/** So many requests at once; the first failure ends all. */
class Flow {
  readonly #running = new Set<Promise<void>>();
  readonly #signal: AbortSignal | undefined;
  #failure: { readonly error: unknown } | undefined;

  constructor(signal: AbortSignal | undefined) {
    this.#signal = signal;
  }

  async begin(request: () => Promise<void>): Promise<void> {
    while (this.#running.size >= chunksAtOnce) await Promise.race(this.#running);
    this.#check();
    const running: Promise<void> = request()
      .then(() => moved(this.#signal))
      .catch((error: unknown) => void (this.#failure ??= { error }))
      .finally(() => this.#running.delete(running));
    this.#running.add(running);
  }

  async end(): Promise<void> {
    await Promise.all(this.#running);
    this.#check();
  }

  #check(): void {
    this.#signal?.throwIfAborted();
    if (this.#failure) throw this.#failure.error;
  }
}
