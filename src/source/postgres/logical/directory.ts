import { join, relative } from 'node:path';
import { rawPathOf } from '../../../bytes/ids.ts';
import { HoldfastError } from '../../../errors/error.ts';
import type { Dumped, Dumping } from './back-up.ts';
import { textOf } from './client.ts';
import { libpqEnvironment } from './libpq.ts';
import { spoolLimitBytes } from './options.ts';
import { bytesBelow, filesBelow, openSpool, watchSpool, type SpoolFolder } from './spool-folder.ts';
import { dumpArguments } from './stream.ts';
import { stalled, usualQuietMs } from './unstalled.ts';

/** The format directory, by several jobs, through a spool that is gone afterwards, whatever happens. */
export async function dumpDirectory(dumping: Dumping, database: string): Promise<Dumped> {
  const { client, options, walk } = dumping;
  const { clock, logical } = options;
  await using spool = await openSpool({ folder: logical.spool, limitBytes: spoolLimitBytes(logical) });
  const target = join(spool.path, 'dump');
  await within(spool, dumping, async (signal) => {
    const args = ['--format=directory', `--jobs=${logical.jobs}`, '--no-sync', ...dumpArguments(dumping)];
    const connection = libpqEnvironment(options.url, database);
    await textOf(client, 'pg_dump', [...args, `--file=${target}`], { connection, clock, signal });
  });
  const { signal, store } = walk;
  await textOf(client, 'pg_restore', ['--file=/dev/null', target], { connection: {}, clock, signal });
  const files = (await filesBelow(target)).toSorted((a, b) => Buffer.compare(Buffer.from(a.path), Buffer.from(b.path)));
  const dumped: Dumped[number][] = [];
  for (const { path, bytes } of files) {
    const content = { kind: 'file', path: rawPathOf(path), sizeBytes: bytes, cut: 'rabin' } as const;
    dumped.push({ file: relative(target, path), stored: await store(content) });
  }
  return dumped;
}

/** Ends what fills the spool once it has outgrown its limit, or grows no more. */
async function within(
  spool: SpoolFolder,
  { options: { clock }, walk }: Dumping,
  body: (signal: AbortSignal) => Promise<void>,
): Promise<void> {
  const done = new AbortController();
  const given = new AbortController();
  const giveUp = (why: 'outgrown' | 'quiet'): void =>
    given.abort(why === 'outgrown' ? tooLarge(spool) : stalled('pg_dump', usualQuietMs));
  const watching = watchSpool(spool, { clock, done: done.signal, quietMs: usualQuietMs, giveUp });
  try {
    await body(AbortSignal.any([walk.signal, given.signal]));
    if ((await bytesBelow(spool.path)) > spool.limitBytes) throw tooLarge(spool);
  } finally {
    done.abort();
    await watching;
  }
}

function tooLarge({ limitBytes }: SpoolFolder): HoldfastError {
  const limit = `${Math.floor(limitBytes / 2 ** 20)} MiB`;
  return new HoldfastError('source-failed', `the dump outgrew its spool: the limit is ${limit}`, {
    next: 'Raise `logical: spool-limit:` or name a larger disk by `spool:`; the format custom needs no spool. No snapshot was written.',
  });
}
