import { demand, demandBytes, demandCode, listed, sample, type Check } from './check.ts';

const impossible = [
  '',
  '/',
  'a/',
  '/a',
  'a//b',
  '.',
  '..',
  '../a',
  'a/../b',
  'a/./b',
  'a b',
  'a~',
  'ä',
  'a\\b',
  'a\0b',
  'x'.repeat(256),
];

/** Names are held as they are, and lists are complete. */
export const nameChecks: readonly Check[] = [
  {
    name: 'every key of the allowed form can be held',
    run: async (storage, prefix) => {
      const names = [
        'a',
        'A',
        '0',
        '.hidden',
        '-dash',
        '_under',
        '...',
        'a.b-c_d',
        'config',
        'x'.repeat(255),
        'ab/cd/ef/gh',
      ];
      await Promise.all(names.map((name, n) => storage.put(prefix + name, [sample(10, n)])));
      for (const [n, name] of names.entries()) await demandBytes(storage, prefix + name, sample(10, n));
      const found = await listed(storage, prefix);
      for (const name of names) demand(found.get(prefix + name) === 10, `${name} is not listed`);
      demand(found.size === names.length, `${found.size} objects are listed where ${names.length} were stored`);
    },
  },
  {
    name: 'a key that could lead elsewhere is refused',
    run: async (storage) => {
      for (const key of impossible) {
        await demandCode('internal', `storing ${JSON.stringify(key)}`, storage.put(key, [sample(1)]));
        await demandCode('internal', `reading ${JSON.stringify(key)}`, storage.get(key));
        await demandCode('internal', `removing ${JSON.stringify(key)}`, storage.remove(key));
      }
      await demandCode('internal', 'listing ../', listed(storage, '../'));
      await demandCode('internal', 'listing without a final /', listed(storage, 'data'));
    },
  },
  {
    name: 'a list holds exactly what lies below its prefix',
    run: async (storage, prefix) => {
      const keys = ['one', 'ab/1', 'ab/2', 'abc/1', 'ab/c/3'].map((name) => prefix + name);
      for (const key of keys) await storage.put(key, [sample(key.length)]);
      const below = [...(await listed(storage, `${prefix}ab/`)).keys()].toSorted();
      demand(
        below.join() === [`${prefix}ab/1`, `${prefix}ab/2`, `${prefix}ab/c/3`].join(),
        `below ab/ are listed: ${below.join(' ')}`,
      );
      const all = await listed(storage, prefix);
      demand(all.size === keys.length && keys.every((key) => all.get(key) === key.length), 'the list of all is wrong');
      demand(
        (await listed(storage, `${prefix}nothing/here/`)).size === 0,
        'a folder that is not there lists something',
      );
    },
  },
  {
    name: 'a long list is complete, each object once',
    run: async (storage, prefix) => {
      const keys = Array.from({ length: 1100 }, (_, n) => `${prefix}${n % 11}/${n}`);
      for (let first = 0; first < keys.length; first += 50) {
        await Promise.all(keys.slice(first, first + 50).map((key) => storage.put(key, [])));
      }
      const found = await listed(storage, prefix);
      demand(
        found.size === keys.length && keys.every((key) => found.has(key)),
        `${found.size} of ${keys.length} objects are listed`,
      );
    },
  },
];
