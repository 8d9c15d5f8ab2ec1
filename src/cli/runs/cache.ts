import { HoldfastError } from '../../errors/error.ts';
import { agedCaches, removeOldCaches } from '../../job/caches.ts';
import { cacheFolder } from '../cache.ts';
import type { Run } from '../command.ts';
import type { cacheOptions } from '../commands/cache.ts';
import { formatBytes, plural } from '../format.ts';
import { tableLines } from '../table.ts';

const dayMs = 86_400_000;

export const run: Run<typeof cacheOptions> = async ({ values }, context) => {
  const { console, clock, globals } = context;
  const folder = cacheFolder(context);
  if (folder === undefined) throw new HoldfastError('usage', 'cache: --no-cache leaves nothing to show');
  const maxAgeMs = (values.maxAge ?? 30) * dayMs;
  if (values.cleanup || globals.cleanupCache) {
    const removed = await removeOldCaches(folder, clock, maxAgeMs);
    if (console.form === 'json')
      console.record({ message_type: 'removed', caches: removed.map(({ repositoryId }) => repositoryId) });
    console.say(removed.length === 0 ? 'no cache is that old' : `removed ${plural(removed.length, 'cache')}`);
    return 0;
  }
  const caches = await agedCaches(folder, clock);
  const rows = caches.map(({ repositoryId, ageMs, sizeBytes }) => ({
    repository: repositoryId,
    days: Math.floor(ageMs / dayMs),
    old: ageMs > maxAgeMs,
    ...(values.noSize ? {} : { size: sizeBytes }),
  }));
  if (console.form === 'json') {
    console.record(rows);
    return 0;
  }
  const header = ['Repository', 'Last used', 'Old', ...(values.noSize ? [] : ['Size'])];
  const cells = rows.map(({ repository, days, old, size }) => [
    repository.slice(0, 10),
    `${days} days ago`,
    old ? 'yes' : '',
    ...(size === undefined ? [] : [formatBytes(size)]),
  ]);
  for (const line of tableLines({
    header,
    rows: cells,
    right: [3],
    footer: `${plural(rows.length, 'cache')} in ${folder}`,
  }))
    console.say(line, 0);
  return 0;
};
