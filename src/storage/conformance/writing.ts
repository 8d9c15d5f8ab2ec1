import { demand, demandBytes, demandCode, listed, sample, type Check } from './check.ts';

/** Writes are whole, once, and alone. */
export const writingChecks: readonly Check[] = [
  {
    name: 'many objects are stored at the same time',
    run: async (storage, prefix) => {
      const keys = Array.from({ length: 48 }, (_, n) => `${prefix}${n % 16}/${n}`);
      await Promise.all(keys.map((key, n) => storage.put(key, [sample(1000, n)])));
      await Promise.all(keys.map((key, n) => demandBytes(storage, key, sample(1000, n))));
    },
  },
  {
    name: 'a replaced object is old or new for a reader, never a mixture',
    run: async (storage, prefix) => {
      const key = `${prefix}replaced`;
      const versions = [1, 2].map((seed) => Buffer.from(sample(100_000 * seed, seed)));
      const [first, second] = versions;
      demand(first !== undefined && second !== undefined, 'two versions');
      await storage.put(key, [first]);
      for (let round = 0; round < 8; round++) {
        const writing = storage.put(key, [round % 2 === 0 ? second : first]);
        const reads = await Promise.all([storage.get(key), storage.get(key), writing]);
        for (const bytes of reads.slice(0, 2)) {
          demand(
            bytes instanceof Uint8Array && versions.some((version) => version.equals(bytes)),
            'a reader saw a mixture',
          );
        }
      }
    },
  },
  {
    name: 'a staged object is invisible until its commit, then whole, and leaves nothing without one',
    run: async (storage, prefix) => {
      const staged = await storage.stage?.();
      if (!staged) return;
      await staged.write([sample(70_000, 1), sample(10, 2)]);
      await staged.write([sample(3000, 3)]);
      demand((await listed(storage, prefix)).size === 0, 'an object in the making is listed');
      await staged.commit(`${prefix}staged/object`);
      await staged[Symbol.asyncDispose]();
      const whole = Buffer.concat([sample(70_000, 1), sample(10, 2), sample(3000, 3)]);
      await demandBytes(storage, `${prefix}staged/object`, whole);
      const given = await storage.stage?.();
      await given?.write([sample(10, 1)]);
      await given?.[Symbol.asyncDispose]();
      demand((await listed(storage, prefix)).size === 1, 'an object without a commit is listed');
    },
  },
  {
    name: 'ifAbsent leaves an object that is there as it is',
    run: async (storage, prefix) => {
      const key = `${prefix}once`;
      await storage.put(key, [sample(10, 1)], { ifAbsent: true });
      await demandCode(
        'storage-exists',
        'creating an existing object',
        storage.put(key, [sample(10, 2)], { ifAbsent: true }),
      );
      await demandBytes(storage, key, sample(10, 1));
    },
  },
  {
    name: 'of many that create one object at once, exactly one succeeds',
    needs: 'conditionalCreate',
    run: async (storage, prefix) => {
      const key = `${prefix}race`;
      const seeds = [1, 2, 3, 4, 5, 6, 7, 8];
      const outcomes = await Promise.allSettled(
        seeds.map((seed) => storage.put(key, [sample(10, seed)], { ifAbsent: true })),
      );
      const winners = seeds.filter((_, n) => outcomes[n]?.status === 'fulfilled');
      demand(winners.length === 1, `${winners.length} succeeded`);
      await demandBytes(storage, key, sample(10, winners[0]));
    },
  },
  {
    name: 'a removed object is gone, and can be stored again',
    run: async (storage, prefix) => {
      const key = `${prefix}removed/object`;
      await storage.put(key, [sample(10, 1)]);
      await storage.remove(key);
      await demandCode('storage-not-found', 'reading a removed object', storage.get(key));
      await demandCode('storage-not-found', 'removing an object twice', storage.remove(key));
      demand((await listed(storage, prefix)).size === 0, 'a removed object is still listed');
      await storage.put(key, [sample(10, 2)], { ifAbsent: true });
      await demandBytes(storage, key, sample(10, 2));
    },
  },
  {
    name: 'a call given up rejects with the reason and leaves the object whole or absent',
    run: async (storage, prefix) => {
      const key = `${prefix}given-up`;
      const reason = new Error('given up');
      const refusal = async (call: Promise<unknown>): Promise<void> => {
        const error: unknown = await call.then(
          () => undefined,
          (thrown: unknown) => thrown,
        );
        demand(error === reason, `a call given up ended with ${String(error)}`);
      };
      await refusal(storage.put(key, [sample(10)], { signal: AbortSignal.abort(reason) }));
      await refusal(storage.get(key, { signal: AbortSignal.abort(reason) }));
      const controller = new AbortController();
      const putting = storage.put(key, [sample(1_000_000)], { signal: controller.signal });
      controller.abort(reason);
      await refusal(putting);
      for (const sizeBytes of (await listed(storage, prefix)).values())
        demand(sizeBytes === 1_000_000, 'a part of an object is listed');
    },
  },
];
