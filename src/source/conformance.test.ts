import assert from 'node:assert/strict';
import { test } from 'node:test';
import { externalPromises } from '../../test/support/sources/elsewhere.ts';
import { proveSource, sourceConformance } from '../../test/support/sources/conformance.ts';
import { readingPromises } from '../../test/support/sources/reading.ts';
import type { SourceSubject } from '../../test/support/sources/subject.ts';
import { commandSubject, elsewhereSubject, filesSubject } from '../../test/support/sources/subjects.ts';
import type { ExternalPoints } from './external.ts';
import type { SourceKind } from './kinds.ts';
import type { OpenedSource } from './source.ts';

const ofExternal = externalPromises.map(({ name }) => name);
const ofReading = readingPromises.map(({ name }) => name);
const needing = (...needs: readonly string[]): readonly string[] =>
  readingPromises.flatMap((one) => (one.needs !== undefined && needs.includes(one.needs) ? [one.name] : []));

test('files keep the contract of sources', async (context) => {
  await proveSource(context, filesSubject, [...needing('allowingEmpty', 'hang', 'rehearsed'), ...ofExternal]);
});

test('a command keeps the contract of sources', async (context) => {
  await proveSource(context, commandSubject, ofExternal);
});

test('a source whose points are held elsewhere keeps the contract of sources', async (context) => {
  await proveSource(context, elsewhereSubject, ofReading);
});

/** The subject with a driver that does something else. */
function broken(subject: SourceSubject, change: (opened: OpenedSource) => Partial<OpenedSource>): SourceSubject {
  const { open } = subject.kind;
  assert.ok(open);
  const changed: SourceKind['open'] = (options, surroundings) => {
    const opened = open(options, surroundings);
    return { ...opened, ...change(opened) };
  };
  return { ...subject, kind: { ...subject.kind, open: changed } };
}

function lying(change: (external: ExternalPoints) => Partial<ExternalPoints>): SourceSubject {
  return broken(elsewhereSubject, ({ external }) => {
    assert.ok(external);
    const all: ExternalPoints = {
      list: async (...args) => await external.list(...args),
      make: async (...args) => await external.make(...args),
      copy: async (...args) => await external.copy(...args),
      expire: async (...args) => await external.expire(...args),
      verify: async (...args) => await external.verify(...args),
    };
    return { external: { ...all, ...change(external) } };
  });
}

async function brokenIn(subject: SourceSubject): Promise<readonly string[]> {
  const results = await sourceConformance(subject);
  return results.filter(({ outcome }) => outcome === 'broken').map(({ name }) => name);
}

test('a driver that tells nothing of what it could not read is found', async () => {
  const quiet = broken(filesSubject, ({ source }) => ({
    source: { entries: (walk) => source?.entries({ ...walk, listener: () => undefined }) ?? assert.fail() },
  }));
  assert.deepEqual(await brokenIn(quiet), ['what can’t be read is told or fails: never a clean success']);
});

test('a driver that hands over its entries in another order, or tells its options, is found', async () => {
  const reversed = broken(filesSubject, ({ source }) => ({
    source: {
      async *entries(walk) {
        yield* (await Array.fromAsync(source?.entries(walk) ?? [])).toReversed();
      },
    },
  }));
  assert.ok((await brokenIn(reversed)).includes(ofReading[0] ?? ''));
  const chatty = broken(commandSubject, ({ source }) => ({
    source: {
      entries: (walk) => {
        walk.listener({ kind: 'note', name: 'starting', data: { token: 'kanarienvogel' } });
        return source?.entries(walk) ?? assert.fail();
      },
    },
  }));
  assert.ok((await brokenIn(chatty)).includes(ofReading[0] ?? ''));
});

test('a driver that verifies what it did not look at, or takes silence for emptiness, is found', async () => {
  const believing = lying(() => ({ verify: async () => ({ state: 'verified' }) }));
  assert.ok((await brokenIn(believing)).includes('what vanished is not listed, and failed when it is asked for'));
  const deaf = lying((external) => ({ list: async (...args) => await external.list(...args).catch(() => []) }));
  const found = await brokenIn(deaf);
  assert.ok(found.some((name) => name.startsWith('a place that can’t be asked throws')));
});

test('a driver that expires more than it is told to, or makes what it does not list, is found', async () => {
  const greedy = lying((external) => ({
    expire: async (place, _point, options) => {
      for (const one of await external.list(place, options)) await external.expire(place, one, options);
    },
  }));
  assert.deepEqual(await brokenIn(greedy), [
    'expiry removes the one that it is given, in that place alone; once more is no error',
  ]);
  const dreaming = lying(() => ({ make: async (_place, wanted) => ({ ...wanted, identity: 'x', sizeBytes: 1 }) }));
  assert.ok((await brokenIn(dreaming)).some((name) => name.startsWith('a point that was made is listed')));
});
