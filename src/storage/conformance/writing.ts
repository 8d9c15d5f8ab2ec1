import { demand, demandAbsent, demandBytes, demandCode, listedAt, sample, store, type Check } from './check.ts';

const oneHostAlone =
  'of two hosts that create the same at once (a repository, the journal of a prune) both may believe that it is theirs, so let one host alone do such work';

/** Writes are whole, once, and alone. */
export const writingChecks: readonly Check[] = [
  {
    name: 'many objects are stored at the same time',
    run: async (storage, place) => {
      const names = Array.from({ length: 48 }, (_, n) => `${n % 16}/${n}`);
      const keys = await Promise.all(names.map((name, n) => store(storage, place, name, sample(1000, n))));
      await Promise.all(keys.map((key, n) => demandBytes(storage, key, sample(1000, n))));
    },
  },
  {
    name: 'a replaced object is old or new for a reader, never a mixture',
    needs: 'ownPrefixes',
    run: async (storage, { prefix }) => {
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
    needs: 'stage',
    run: async (storage, place) => {
      const staged = await storage.stage?.();
      if (!staged) throw new Error('nothing can be staged any more');
      await staged.write([sample(70_000, 1), sample(10, 2)]);
      await staged.write([sample(3000, 3)]);
      const whole = Buffer.concat([sample(70_000, 1), sample(10, 2), sample(3000, 3)]);
      const key = place.key('staged/object', whole);
      demand((await listedAt(storage, place)).size === 0, 'an object in the making is listed');
      await staged.commit(key);
      await staged[Symbol.asyncDispose]();
      await demandBytes(storage, key, whole);
      const given = await storage.stage?.();
      await given?.write([sample(10, 1)]);
      await given?.[Symbol.asyncDispose]();
      demand((await listedAt(storage, place)).size === 1, 'an object without a commit is listed');
    },
  },
  {
    name: 'ifAbsent leaves an object that is there as it is',
    follows: oneHostAlone,
    run: async (storage, place) => {
      const key = place.key('once', sample(10, 1));
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
    follows: oneHostAlone,
    run: async (storage, place) => {
      const key = place.key('race', sample(10, 1));
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
    run: async (storage, place) => {
      const key = await store(storage, place, 'removed/object', sample(10, 1));
      await storage.remove(key);
      await demandCode('storage-not-found', 'reading a removed object', storage.get(key));
      await demandAbsent('removing an object twice', storage.remove(key));
      demand((await listedAt(storage, place)).size === 0, 'a removed object is still listed');
      await storage.put(key, [sample(10, 1)], { ifAbsent: true });
      await demandBytes(storage, key, sample(10, 1));
    },
  },
  {
    name: 'a call given up rejects with the reason and leaves the object whole or absent',
    run: async (storage, place) => {
      const bytes = sample(1_000_000);
      const key = place.key('given-up', bytes);
      const reason = new Error('given up');
      const refusal = async (call: Promise<unknown>): Promise<void> => {
        const error: unknown = await call.then(
          () => undefined,
          (thrown: unknown) => thrown,
        );
        demand(error === reason, `a call given up ended with ${String(error)}`);
      };
      await refusal(storage.put(key, [bytes], { signal: AbortSignal.abort(reason) }));
      await refusal(storage.get(key, { signal: AbortSignal.abort(reason) }));
      const controller = new AbortController();
      const putting = storage.put(key, [bytes], { signal: controller.signal });
      controller.abort(reason);
      await refusal(putting);
      for (const sizeBytes of (await listedAt(storage, place)).values())
        demand(sizeBytes === bytes.length, 'a part of an object is listed');
    },
  },
];
