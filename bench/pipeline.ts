import { randomBytes } from 'node:crypto';
import { closeSync, mkdirSync, openSync, readdirSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { rawPathOf } from '../src/bytes/ids.ts';
import { systemClock } from '../src/clock/clock.ts';
import { randomMasterKey } from '../src/crypto/key.ts';
import { SharedIndex } from '../src/repository/index/shared-index.ts';
import { openReader } from '../src/repository/pipeline/reader.ts';
import { openWriter } from '../src/repository/pipeline/writer.ts';
import type { Placement } from '../src/repository/repository.ts';
import { fileIdFor } from '../src/crypto/id.ts';
import { openLocal } from '../src/storage/local.ts';
import { makeData, type DataSet } from './data.ts';

/**
 * `node bench/pipeline.ts [--set mixed|small|pages] [--scale 0.25] [--work FOLDER]`: the pipeline alone, without
 * trees, snapshots and key derivation: stores a data set, stores it again, and reads all of it back to files.
 */
const { values } = parseArgs({
  options: {
    set: { type: 'string', default: 'mixed' },
    scale: { type: 'string', default: '0.25' },
    work: { type: 'string', default: join(import.meta.dirname, '../.cache/bench') },
    verify: { type: 'string', default: 'verified' },
    phases: { type: 'string', default: 'store,again,restore' },
  },
});

interface SourceFile {
  readonly path: string;
  readonly sizeBytes: number;
}

function walk(folder: string): readonly SourceFile[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .map((path) => ({ path, sizeBytes: statSync(path).size }));
}

async function timed(name: string, run: () => Promise<unknown>): Promise<void> {
  const cpu = process.cpuUsage();
  const start = performance.now();
  await run();
  const wall = (performance.now() - start) / 1000;
  const { user, system } = process.cpuUsage(cpu);
  const peak = process.resourceUsage().maxRSS / 1024;
  const figures = [wall, user / 1e6, system / 1e6].map((seconds) => seconds.toFixed(2)).join(' / ');
  console.log(`${name.padEnd(10)} wall / user / system s ${figures}, peak ${peak.toFixed(0)} MiB`);
}

mkdirSync(values.work, { recursive: true });
const data = makeData(values.set as DataSet, values.work, Number(values.scale));
const folder = join(values.work, 'pipeline-repository');
rmSync(folder, { recursive: true, force: true });
const storage = await openLocal(folder, { create: true });
const key = randomMasterKey();
const index = new SharedIndex();
const restics = { kind: 'rabin', minBytes: 2 ** 19, averageBytes: 2 ** 20, maxBytes: 2 ** 23 } as const;
const deps = {
  storage,
  key,
  index,
  clock: systemClock,
  config: { version: 2, chunkerPolynomial: '3da3358b4dc173', chunking: restics },
  writeIndex: async (plaintext: Uint8Array) => {
    const id = fileIdFor(plaintext);
    await storage.put(`index/${id}`, [plaintext]);
    return id;
  },
} as const;
const { signal } = new AbortController();
const files = walk(data);
const ids = new Map<SourceFile, readonly string[]>();

async function store(): Promise<void> {
  await using writer = await openWriter(deps, {
    compression: 'auto',
    packSizeBytes: 16 * 2 ** 20,
    extraVerify: values.verify === 'verified' ? 'verified' : 'unverified',
    readConcurrency: 2,
    signal,
    mode: 'store',
  });
  const pending = new Set<Promise<void>>();
  for (const file of files) {
    await writer.ready();
    const content = { kind: 'file', path: rawPathOf(file.path), sizeBytes: file.sizeBytes, cut: 'rabin' } as const;
    const storing = writer.store(content).then((stored) => {
      ids.set(file, stored.ids);
      pending.delete(storing);
    });
    pending.add(storing);
  }
  await Promise.all(pending);
  await writer.flush();
  const { dataBytes, dataStoredBytes } = writer.totals;
  console.log(`new ${(dataBytes / 2 ** 20).toFixed(1)} MiB in ${(dataStoredBytes / 2 ** 20).toFixed(1)} MiB`);
}

/** As a restore does: some files at a time, their blobs pack by pack. */
async function restore(): Promise<void> {
  const target = join(values.work, 'pipeline-target');
  rmSync(target, { recursive: true, force: true });
  mkdirSync(target);
  await using reader = await openReader(deps, { signal });
  const running = new Set<Promise<void>>();
  for (let at = 0; at < files.length; at += 256) {
    const fds: number[] = [];
    const placements: Placement[] = [];
    for (const [number, file] of files.slice(at, at + 256).entries()) {
      const fd = openSync(join(target, String(at + number)), 'w');
      fds.push(fd);
      let offset = 0;
      for (const id of ids.get(file) ?? []) {
        const location = index.locate('data', id as never);
        if (!location) throw new Error('a blob is missing');
        placements.push({ location, targets: [{ fd, offset }], holes: 'write-all' });
        offset += location.plainLength;
      }
    }
    const packs = [...Map.groupBy(placements, ({ location }) => location.pack)];
    const window = Promise.all(
      packs.map(async ([pack, wanted]) => {
        const failures = (await reader.fill(pack, { placements: wanted })).unplaced;
        if (failures[0]) throw failures[0].error;
      }),
    ).then(() => {
      for (const fd of fds) closeSync(fd);
      running.delete(window);
    });
    running.add(window);
    if (running.size >= 2) await Promise.race(running);
    await reader.ready();
  }
  await Promise.all(running);
}

console.log(`${values.set}: ${files.length} files, seed ${randomBytes(2).toString('hex')}`);
const phases = values.phases.split(',');
if (phases.includes('store')) await timed('store', store);
if (phases.includes('again')) await timed('again', store);
if (phases.includes('restore')) await timed('restore', restore);
