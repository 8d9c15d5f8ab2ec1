import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import * as z from 'zod';
import { HoldfastError } from '../../src/errors/error.ts';
import { reasonOf } from '../../src/host/system-error.ts';
import type { ExternalPoint } from '../../src/point/point.ts';
import type { ExternalPoints, ExternalVerdict } from '../../src/source/external.ts';
import type { SourceKind } from '../../src/source/kinds.ts';
import type { Surroundings, WalkOptions } from '../../src/source/source.ts';

/**
 * A kind of component whose points are held elsewhere, as a search engine or a mirror would: here each place is a folder
 * beside a `live` one. A file `<place>.mood` has it misbehave: fail, answer never, or say that it did what it did not.
 */
export type Mood = 'fails' | 'never answers' | 'lies';

const schema = z
  .strictObject({
    folder: z.string(),
    places: z.array(z.string()).min(1),
    site: z.string().optional(),
    token: z.string().optional(),
  })
  .meta({ title: 'something elsewhere' });

const stored = z.strictObject({
  ...{ component: z.string(), rule: z.string(), method: z.string(), time: z.string() },
  ...{ hash: z.string(), data: z.string() },
});

export const elsewhereKind: SourceKind = {
  what: 'something whose points are held elsewhere',
  schema,
  places: (options) => {
    const { places, site } = schema.parse(options);
    return Object.fromEntries(places.map((place) => [place, { site, media: 'object' }]));
  },
  open: (options, surroundings) => {
    const { folder } = schema.parse(options);
    return { external: new Elsewhere(folder, surroundings), paths: [], excludes: [] };
  },
};

/** What tests reach behind the source’s back. */
export function placeFile(folder: string, place: string, identity: string): string {
  return join(folder, place, `${identity}.json`);
}

export async function setMood(folder: string, place: string, mood: Mood | undefined): Promise<void> {
  if (mood === undefined) await rm(join(folder, `${place}.mood`), { force: true });
  else await writeFile(join(folder, `${place}.mood`), mood);
}

class Elsewhere implements ExternalPoints {
  readonly #folder: string;
  readonly #component: string;

  constructor(folder: string, { component }: Surroundings) {
    this.#folder = folder;
    this.#component = component;
  }

  async list(place: string, options: WalkOptions): Promise<readonly ExternalPoint[]> {
    await this.#answer(place, options);
    const names = await this.#tried(place, async () => await readdir(join(this.#folder, place)));
    const points: ExternalPoint[] = [];
    for (const name of names.filter((one) => one.endsWith('.json'))) {
      const point = await this.#read(place, name.slice(0, -5));
      if (point !== undefined) points.push(point);
    }
    return points;
  }

  async make(
    place: string,
    wanted: Parameters<ExternalPoints['make']>[1],
    options: WalkOptions,
  ): Promise<ExternalPoint> {
    const mood = await this.#answer(place, options);
    const data = await this.#live(place, options);
    const { rule, method, timeNs } = wanted;
    const identity = `${rule}-${timeNs}`;
    const time = Temporal.Instant.fromEpochNanoseconds(timeNs).toString();
    const hash = hashOf(data);
    const json = { component: this.#component, rule, method, time, hash, data: data.toString('base64') };
    if (mood !== 'lies') await this.#write(place, identity, JSON.stringify(json));
    return { identity, ...wanted, sizeBytes: data.length };
  }

  async copy(
    { identity }: ExternalPoint,
    { from, to }: { from: string; to: string },
    options: WalkOptions,
  ): Promise<void> {
    await this.#answer(from, options);
    const mood = await this.#answer(to, options);
    if (mood === 'lies' || existsSync(placeFile(this.#folder, to, identity))) return;
    const json = await this.#tried(from, async () => await readFile(placeFile(this.#folder, from, identity), 'utf8'));
    await this.#write(to, identity, json);
  }

  async expire(place: string, { identity }: ExternalPoint, options: WalkOptions): Promise<void> {
    const mood = await this.#answer(place, options);
    if (mood !== 'lies') await rm(placeFile(this.#folder, place, identity), { force: true });
  }

  async verify(place: string, point: ExternalPoint, level: string, options: WalkOptions): Promise<ExternalVerdict> {
    await this.#answer(place, options);
    if (level === 'sample') return { state: 'could not verify', reason: `${place} knows no samples` };
    const text = await readFile(placeFile(this.#folder, place, point.identity), 'utf8').catch(() => undefined);
    if (text === undefined) return { state: 'failed', reason: `${place} has no ${point.identity} any more` };
    const parsed = storedOf(text);
    if (parsed === undefined) return { state: 'failed', reason: `${point.identity} can’t be understood` };
    const isRight = level === 'structure' || hashOf(Buffer.from(parsed.data, 'base64')) === parsed.hash;
    return isRight ? { state: 'verified' } : { state: 'failed', reason: `${point.identity} holds other data` };
  }

  /** All files of the live folder, one after another. */
  async #live(place: string, { listener }: WalkOptions): Promise<Buffer> {
    const folder = join(this.#folder, 'live');
    const names = await this.#tried(place, async () => await readdir(folder));
    const parts = names.toSorted().map((name) => {
      try {
        return readFileSync(join(folder, name));
      } catch (error) {
        listener({
          kind: 'warning',
          during: 'scan',
          item: join(folder, name),
          message: `left out: ${reasonOf(error)}`,
        });
        return Buffer.alloc(0);
      }
    });
    const data = Buffer.concat(parts);
    if (data.length === 0) throw this.#error(place, 'there is nothing to hold');
    return data;
  }

  async #read(place: string, identity: string): Promise<ExternalPoint | undefined> {
    const parsed = storedOf(await readFile(placeFile(this.#folder, place, identity), 'utf8'));
    if (parsed?.component !== this.#component) return undefined;
    const { rule, method, time, data } = parsed;
    const timeNs = Temporal.Instant.from(time).epochNanoseconds;
    return { identity, rule, method, timeNs, sizeBytes: Buffer.from(data, 'base64').length };
  }

  async #write(place: string, identity: string, text: string): Promise<void> {
    const path = placeFile(this.#folder, place, identity);
    await this.#tried(place, async () => {
      await mkdir(join(this.#folder, place), { recursive: true });
      await writeFile(`${path}.half`, text);
      await rename(`${path}.half`, path);
    });
  }

  async #answer(place: string, { signal }: WalkOptions): Promise<string> {
    signal.throwIfAborted();
    const mood = await readFile(join(this.#folder, `${place}.mood`), 'utf8').catch(() => '');
    if (mood === 'fails') throw this.#error(place, 'it doesn’t answer');
    signal.throwIfAborted();
    if (mood === 'never answers')
      await new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason)));
    return mood;
  }

  async #tried<T>(place: string, work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (cause) {
      throw this.#error(place, reasonOf(cause), cause);
    }
  }

  #error(place: string, reason: string, cause?: unknown): HoldfastError {
    return new HoldfastError('source-failed', `${this.#component}: ${place}: ${reason}`, { cause });
  }
}

function storedOf(text: string): z.output<typeof stored> | undefined {
  try {
    return stored.parse(JSON.parse(text));
  } catch {
    return undefined;
  }
}

function hashOf(data: Uint8Array): string {
  return createHash('sha256').update(data).digest('hex');
}
