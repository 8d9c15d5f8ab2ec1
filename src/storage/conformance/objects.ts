import { demand, demandAbsent, demandBytes, demandCode, sample, store, type Check } from './check.ts';

const mebibyte = 1024 * 1024;

/** What is stored is what is read. */
export const objectChecks: readonly Check[] = [
  {
    name: 'objects of every size read back as they were stored',
    run: async (storage, place) => {
      for (const sizeBytes of [0, 1, 4095, 4096, mebibyte + 1, 17 * mebibyte]) {
        const bytes = sample(sizeBytes, sizeBytes);
        const key = await store(storage, place, String(sizeBytes), bytes);
        await demandBytes(storage, key, bytes);
        const { sizeBytes: told } = await storage.stat(key);
        demand(told === sizeBytes, `an object of ${sizeBytes} bytes is said to have ${told}`);
      }
    },
  },
  {
    name: 'an object handed over in pieces is stored as one',
    run: async (storage, place) => {
      const pieces = Array.from({ length: 3000 }, (_, n) => sample(n % 7, n));
      const whole = Buffer.concat(pieces);
      const key = place.key('pieces', whole);
      await storage.put(key, pieces);
      await demandBytes(storage, key, whole);
    },
  },
  {
    name: 'ranges are read exactly, and never beyond the end',
    run: async (storage, place) => {
      const bytes = sample(10_000);
      const key = await store(storage, place, 'ranges', bytes);
      for (const [offset, length] of [
        [0, 10_000],
        [0, 1],
        [9_999, 1],
        [1234, 5678],
      ] as const) {
        const part = await storage.get(key, { range: { offset, length } });
        demand(
          Buffer.compare(part, bytes.subarray(offset, offset + length)) === 0,
          `range ${offset}+${length} reads other bytes`,
        );
      }
      for (const range of [
        { offset: 9_999, length: 2 },
        { offset: 10_000, length: 1 },
        { offset: 20_000, length: 5 },
      ]) {
        await demandCode(
          'damaged',
          `reading ${range.offset}+${range.length} of 10000 bytes`,
          storage.get(key, { range }),
        );
      }
    },
  },
  {
    name: 'an object larger than whoever asks would take is refused',
    run: async (storage, place) => {
      const bytes = sample(10_000);
      const key = await store(storage, place, 'limited', bytes);
      const whole = await storage.get(key, { maxBytes: 10_000 });
      demand(Buffer.compare(whole, bytes) === 0, 'an object as large as allowed reads other bytes');
      const part = await storage.get(key, { maxBytes: 10, range: { offset: 0, length: 20 } });
      demand(part.length === 20, 'a limit for the whole object concerns a part of it');
      await demandCode('damaged', 'reading 10000 bytes of at most 9999', storage.get(key, { maxBytes: 9_999 }));
    },
  },
  {
    name: 'what does not exist is told so',
    run: async (storage, place) => {
      await store(storage, place, 'file', sample(1));
      for (const key of [place.key('absent', sample(2)), place.key('no/such/folder', sample(3))]) {
        await demandCode('storage-not-found', `reading the absent ${key}`, storage.get(key));
        await demandCode(
          'storage-not-found',
          `reading a part of the absent ${key}`,
          storage.get(key, { range: { offset: 0, length: 1 } }),
        );
        await demandCode('storage-not-found', `asking for the absent ${key}`, storage.stat(key));
        await demandAbsent(`removing the absent ${key}`, storage.remove(key));
      }
    },
  },
  {
    name: 'the storage keeps bytes of its own',
    run: async (storage, place) => {
      const bytes = sample(100);
      const key = await store(storage, place, 'own', bytes);
      const wanted = Uint8Array.from(bytes);
      bytes.fill(0);
      (await storage.get(key)).fill(1);
      await demandBytes(storage, key, wanted);
    },
  },
];
