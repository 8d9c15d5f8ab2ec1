import { appendFileSync, mkdirSync, writeFileSync } from 'node:fs';
import { localZone } from '../../src/clock/zone.ts';
import { silent, type Event } from '../../src/events/events.ts';
import { check, type CheckOutcome } from '../../src/job/check.ts';
import { forget } from '../../src/job/forget.ts';
import type { JobContext } from '../../src/job/job.ts';
import { prune, type PruneJobOptions, type PruneJobOutcome, type PruneWay } from '../../src/job/prune.ts';
import { pruneDefaults } from '../../src/repository/prune.ts';
import { defaultGroupBy } from '../../src/retention/group.ts';
import { anySnapshot } from '../../src/snapshot/snapshots.ts';
import { MemoryStorage, type Image } from '../../src/storage/memory.ts';
import { backupFolder, jobContext, newRepository } from './engine.ts';
import { writerOptions } from './pipeline.ts';
import type { TempDir } from './temp-dir.ts';

/** Three backups of `data`, a folder that grows and changes; a few small packs. */
export async function threeBackups(dir: TempDir): Promise<Image> {
  const storage = new MemoryStorage();
  await newRepository(storage);
  mkdirSync(dir.file('data/sub'), { recursive: true });
  for (const version of [1, 2, 3]) {
    writeFileSync(dir.file('data/only in one'), `version ${version}`.repeat(1000));
    writeFileSync(dir.file(`data/sub/since ${version}`), `version ${version}`.repeat(1000));
    appendFileSync(dir.file('data/log'), Buffer.alloc(300_000, `${version}`));
    await backupFolder(jobContext(storage), dir.file('data'));
  }
  writeFileSync(dir.file('data/new'), 'not stored yet'.repeat(5000));
  return new Map(storage.durable);
}

const { signal: _signal, mode: _mode, ...writer } = writerOptions();

/** Everything unused goes, and every pack that is partly used is rewritten. */
const pruning = {
  prune: { ...pruneDefaults, maxUnused: { kind: 'bytes', bytes: 0 } },
  writer,
  way: 'instant',
  journals: 'heed',
  onSweep: () => undefined,
  onPlan: () => undefined,
} as const;

export async function pruneAll(context: JobContext, options: Partial<PruneJobOptions> = {}): Promise<PruneJobOutcome> {
  return await prune(context, { ...pruning, mode: 'execute', ...options });
}

/** Keeps the newest snapshot; 'prune': and removes what only the others needed. */
export async function keepLast(context: JobContext, then: 'prune' | 'leave', way: PruneWay = 'instant'): Promise<void> {
  await forget(context, {
    names: [],
    filter: anySnapshot,
    now: Temporal.Now.zonedDateTimeISO(),
    rules: { policy: { counts: { last: 1 }, withinEach: {}, tags: [] }, groupBy: defaultGroupBy, zone: localZone() },
    lastOfPaths: 'as the rules say',
    mode: 'execute',
    ...(then === 'prune' ? { prune: { ...pruning, way } } : {}),
    onPlan: () => undefined,
    onRemoved: () => undefined,
  });
}

/** What `check` says, with the codes of its errors in order. */
export interface Checked extends CheckOutcome {
  readonly codes: readonly string[];
  readonly messages: readonly string[];
}

export async function checked(context: JobContext, reading: 'structure' | 'data'): Promise<Checked> {
  const codes: string[] = [];
  const messages: string[] = [];
  const listener = (event: Event): void => {
    if (event.kind !== 'note' || event.name !== 'finding' || event.data['severity'] !== 'error') return silent(event);
    codes.push(String(event.data['code']));
    messages.push(String(event.data['message']));
  };
  const data = reading === 'data' ? { data: { kind: 'all' } as const } : {};
  const outcome = await check({ ...context, listener }, { filter: anySnapshot, random: Math.random, ...data });
  return { ...outcome, codes: codes.toSorted(), messages };
}
