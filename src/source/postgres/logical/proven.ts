import type { Writable } from 'node:stream';
import { HoldfastError } from '../../../errors/error.ts';
import type { RunningProgram } from '../../../host/process.ts';
import { succeeded } from './client.ts';
import { unstalled, usualQuietMs, type Quiet } from './unstalled.ts';

/**
 * What pg_dump writes, while pg_restore reads it to its end, as a load would: a table of contents proves nothing of the
 * data. 'source-failed' where either fails; then no snapshot may be written.
 */
export async function* proven(
  dump: RunningProgram,
  reader: RunningProgram,
  { signal, clock }: Omit<Quiet, 'mostMs'>,
): AsyncGenerator<Uint8Array> {
  let bytes = 0;
  for await (const chunk of unstalled('pg_dump', dump.output, { clock, signal, mostMs: usualQuietMs })) {
    bytes += chunk.length;
    // Before it is handed on: whoever takes it may give its memory away.
    if (reader.input !== undefined) await written(reader.input, chunk);
    yield chunk;
  }
  await succeeded('pg_dump', dump, signal);
  if (bytes === 0) throw new HoldfastError('source-failed', 'pg_dump gave no data');
  reader.input?.end();
  await succeeded('reading the dump to its end by pg_restore', reader, signal);
}

/** A reader that is gone is heard of by how it ended. */
async function written(input: Writable, chunk: Uint8Array): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  input.write(chunk, () => resolve());
  await promise;
}
