import { demand, demandBytes, demandCode, sample, type Check } from './check.ts';

const mebibyte = 1024 * 1024;

/** What is stored is what is read. */
export const objectChecks: readonly Check[] = [
  {
    name: 'objects of every size read back as they were stored',
    run: async (storage, prefix) => {
      for (const sizeBytes of [0, 1, 4095, 4096, mebibyte + 1, 17 * mebibyte]) {
        const bytes = sample(sizeBytes, sizeBytes);
        await storage.put(`${prefix}${sizeBytes}`, [bytes]);
        await demandBytes(storage, `${prefix}${sizeBytes}`, bytes);
        const { sizeBytes: told } = await storage.stat(`${prefix}${sizeBytes}`);
        demand(told === sizeBytes, `an object of ${sizeBytes} bytes is said to have ${told}`);
      }
    },
  },
  {
    name: 'an object handed over in pieces is stored as one',
    run: async (storage, prefix) => {
      const pieces = Array.from({ length: 3000 }, (_, n) => sample(n % 7, n));
      await storage.put(`${prefix}pieces`, pieces);
      await demandBytes(storage, `${prefix}pieces`, Buffer.concat(pieces));
    },
  },
  {
    name: 'ranges are read exactly, and never beyond the end',
    run: async (storage, prefix) => {
      const key = `${prefix}ranges`;
      const bytes = sample(10_000);
      await storage.put(key, [bytes]);
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
    run: async (storage, prefix) => {
      const key = `${prefix}limited`;
      const bytes = sample(10_000);
      await storage.put(key, [bytes]);
      const whole = await storage.get(key, { maxBytes: 10_000 });
      demand(Buffer.compare(whole, bytes) === 0, 'an object as large as allowed reads other bytes');
      const part = await storage.get(key, { maxBytes: 10, range: { offset: 0, length: 20 } });
      demand(part.length === 20, 'a limit for the whole object concerns a part of it');
      await demandCode('damaged', 'reading 10000 bytes of at most 9999', storage.get(key, { maxBytes: 9_999 }));
    },
  },
  {
    name: 'what does not exist is told so',
    run: async (storage, prefix) => {
      await storage.put(`${prefix}file`, [sample(1)]);
      for (const key of [`${prefix}absent`, `${prefix}no/such/folder`]) {
        await demandCode('storage-not-found', `reading the absent ${key}`, storage.get(key));
        await demandCode(
          'storage-not-found',
          `reading a part of the absent ${key}`,
          storage.get(key, { range: { offset: 0, length: 1 } }),
        );
        await demandCode('storage-not-found', `asking for the absent ${key}`, storage.stat(key));
        await demandCode('storage-not-found', `removing the absent ${key}`, storage.remove(key));
      }
    },
  },
  {
    name: 'the storage keeps bytes of its own',
    run: async (storage, prefix) => {
      const bytes = sample(100);
      await storage.put(`${prefix}own`, [bytes]);
      const wanted = Uint8Array.from(bytes);
      bytes.fill(0);
      (await storage.get(`${prefix}own`)).fill(1);
      await demandBytes(storage, `${prefix}own`, wanted);
    },
  },
];
