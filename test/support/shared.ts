import { after } from 'node:test';

const used = new AsyncDisposableStack();
after(async () => await used.disposeAsync());

/** What is made when it is first asked for, one a key, serves all tests of a file that leave it as it is, and ends after them. */
export function shared<Key, T extends AsyncDisposable>(make: (key: Key) => Promise<T>): (key: Key) => Promise<T> {
  return once(async (key) => used.use(await make(key)));
}

/** The same for what needs no end. */
export function once<Key, T>(make: (key: Key) => Promise<T>): (key: Key) => Promise<T> {
  const made = new Map<Key, Promise<T>>();
  return async (key) => {
    const one = made.get(key) ?? make(key);
    made.set(key, one);
    return await one;
  };
}
