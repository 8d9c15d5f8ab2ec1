import { demand, demandBytes, demandCode, listed, listedAt, sample, store, type Check } from './check.ts';

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
  'a@b',
  '@',
  'a\\b',
  'a\0b',
  'x'.repeat(256),
];

/** Names are held as they are, and lists are complete. */
export const nameChecks: readonly Check[] = [
  {
    name: 'every key of the allowed form can be held',
    needs: 'ownPrefixes',
    follows: 'prune works at once and alone there, with no time for backups beside it',
    run: async (storage, { prefix }) => {
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
        'records/@repository/1',
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
    run: async (storage, place) => {
      const keys = ['one', 'ab/1', 'ab/2', 'abc/1', 'ab/c/3'].map((name, n) => place.key(name, sample(10 + n, n)));
      for (const [n, key] of keys.entries()) await storage.put(key, [sample(10 + n, n)]);
      for (const prefix of [place.prefix, ...keys.map((key) => key.slice(0, key.lastIndexOf('/') + 1))]) {
        const found = await listedAt(storage, place, prefix);
        const strange = [...found.keys()].filter((key) => !keys.includes(key) || !key.startsWith(prefix));
        demand(strange.length === 0, `below ${prefix} are listed: ${strange.join(' ')}`);
        const whole = keys.every((key, n) => found.get(key) === (key.startsWith(prefix) ? 10 + n : undefined));
        demand(whole, `the list of ${prefix} is wrong`);
      }
      demand(
        (await listed(storage, `${place.prefix}nothing/here/`)).size === 0,
        'a folder that is not there lists something',
      );
    },
  },
  {
    name: 'a long list is complete, each object once',
    run: async (storage, place) => {
      const keys: string[] = [];
      for (let first = 0; first < 1100; first += 50) {
        const names = Array.from({ length: 50 }, (_, n) => `${n % 11}/${first + n}`);
        keys.push(...(await Promise.all(names.map((name) => store(storage, place, name, Buffer.from(name))))));
      }
      const found = await listedAt(storage, place);
      demand(
        found.size === keys.length && keys.every((key) => found.has(key)),
        `${found.size} of ${keys.length} objects are listed`,
      );
    },
  },
];
