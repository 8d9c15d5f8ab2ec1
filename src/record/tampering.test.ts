import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { budget } from '../../test/budget.ts';
import { newRepository } from '../../test/support/repository.ts';
import { newSignerPem, signerFromPem } from '../crypto/signature.ts';
import { readOwnObject, removeOwnObject, writeOwnObject } from '../repository/own-object.ts';
import type { Repository } from '../repository/repository.ts';
import { appendRecord, listChain, type ChainFiles } from './chain.ts';
import { foldClosedMonths } from './fold.ts';
import { decodeBundle, encodeBundle, encodeRecord, recordName } from './form.ts';
import type { SignedHead } from './heads.ts';
import type { RecordFacts, StoredRecord, Writer } from './record.ts';
import { verifyChains, type ChainVerdict } from './verdict.ts';

const dayNs = 86_400_000_000_000n;
const startNs = 1_750_000_000_000_000_000n;

const writers: readonly Writer[] = ['one', 'two', 'three'].map((id) => ({ id, signer: signerFromPem(newSignerPem()) }));
const stranger = signerFromPem(newSignerPem());
const components = ['shop', 'mail'] as const;

/** What happens to a repository from day to day. */
const step = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      kind: fc.constant('append' as const),
      component: fc.constantFrom(...components),
      /** Several at once: processes of one writer, or several writers. */
      writers: fc.array(fc.integer({ min: 0, max: 2 }), { minLength: 1, maxLength: 4 }),
      /** Clocks step back, outboxes deliver late. */
      days: fc.integer({ min: -40, max: 40 }),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ kind: fc.constant('fold' as const), writer: fc.integer({ min: 0, max: 2 }) }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('key' as const), writer: fc.integer({ min: 0, max: 2 }) }) },
);
const history = fc.array(step, { minLength: 3, maxLength: 25 });
type Step = typeof step extends fc.Arbitrary<infer T> ? T : never;

interface Told {
  readonly records: readonly StoredRecord[];
  readonly heads: readonly SignedHead[];
}

/** Plays it; each record is told to another repository. */
async function play(repository: Repository, steps: readonly Step[]): Promise<Told> {
  const records: StoredRecord[] = [];
  const signers = new Map(writers.map(({ signer }, at) => [at, signer]));
  let nowNs = startNs;
  const append = async (component: string, at: number, extra: Partial<RecordFacts> = {}): Promise<void> => {
    const { id = '' } = writers[at] ?? {};
    const signer = signers.get(at) ?? stranger;
    const actor = { id: 'ops', via: 'cli' };
    const facts: RecordFacts = { kind: 'run', component, timeNs: nowNs, actor, data: { n: records.length }, ...extra };
    records.push(await appendRecord(repository, facts, { id, signer }));
  };
  for (const one of steps) {
    if (one.kind === 'append') {
      nowNs += BigInt(one.days) * dayNs;
      await Promise.all(one.writers.map(async (at) => await append(one.component, at)));
    } else if (one.kind === 'key') {
      const next = signerFromPem(newSignerPem());
      for (const component of components)
        await append(component, one.writer, { kind: 'key', data: { signer: next.publicKey } });
      signers.set(one.writer, next);
    } else {
      const { [one.writer]: writer } = writers;
      if (writer !== undefined) await foldClosedMonths(repository, writer, nowNs - 10n * dayNs);
    }
  }
  return { records, heads: headsOf(repository, records) };
}

function headsOf(repository: Repository, records: readonly StoredRecord[]): readonly SignedHead[] {
  const home = repository.config.id;
  return records.map(({ component, writer, sequence, hash, signer }) => {
    return { repository: home, component, writer, sequence, hash, signer };
  });
}

async function judge(repository: Repository, heads: readonly SignedHead[]): Promise<readonly ChainVerdict[]> {
  const signersOf = (id: string): readonly string[] =>
    writers.flatMap((writer) => (writer.id === id ? [writer.signer.publicKey] : []));
  return await verifyChains(repository, { signersOf, heads });
}

test('no healthy history is accused: several writers at once, months folded, clocks that step back, new keys', async () => {
  await fc.assert(
    fc.asyncProperty(history, async (steps) => {
      await using repository = await newRepository();
      const { records, heads } = await play(repository, steps);
      const chains = await judge(repository, heads);
      for (const { verdict } of chains) assert.deepEqual(verdict, { state: 'intact' });
      assert.equal(
        chains.reduce((sum, { right }) => sum + right, 0),
        records.length,
      );
    }),
    { numRuns: budget.histories * 5 },
  );
});

test('nobody is accused while records are appended and folded', async () => {
  const appendsAndFolds = history.map((steps) => steps.filter(({ kind }) => kind !== 'key'));
  await fc.assert(
    fc.asyncProperty(history, appendsAndFolds, appendsAndFolds, async (before, one, other) => {
      await using repository = await newRepository();
      const { heads } = await play(repository, before);
      const [during] = await Promise.all([judge(repository, heads), play(repository, one), play(repository, other)]);
      for (const { verdict } of during)
        assert.ok(verdict.state === 'intact' || verdict.reason.includes('no other repository was told'), verdict.state);
    }),
    { numRuns: budget.histories * 2 },
  );
});

/** Where a record stands: alone, or as one of a bundle. */
interface Place {
  readonly name: string;
  readonly at: number;
}

/** One chain in the hands of somebody who has the repository's password and no signing key. */
class Hands {
  readonly #repository: Repository;
  readonly #records: readonly StoredRecord[];

  constructor(repository: Repository, records: readonly StoredRecord[]) {
    this.#repository = repository;
    this.#records = records;
  }

  /** From 1. */
  record(sequence: number): StoredRecord {
    const found = this.#records.find((one) => one.sequence === sequence);
    assert.ok(found);
    return found;
  }

  async object(sequence: number): Promise<Uint8Array> {
    const { name, at } = await this.#place(sequence);
    const found = (await this.#objects(name))[at];
    assert.ok(found);
    return found;
  }

  async put(sequence: number, ...objects: readonly Uint8Array[]): Promise<void> {
    const { name, at } = await this.#place(sequence);
    const kept = await this.#objects(name);
    await this.#write(name, kept.toSpliced(at, 1, ...objects));
  }

  async cutFrom(sequence: number): Promise<void> {
    const { name, at } = await this.#place(sequence);
    const kept = await this.#objects(name);
    for (const file of await this.#files())
      if (file.from > sequence) await removeOwnObject(this.#repository, file.name);
    await this.#write(name, kept.slice(0, at));
  }

  async append(object: Uint8Array): Promise<void> {
    const { component, writer } = this.record(1);
    await writeOwnObject(this.#repository, recordName(component, writer, this.#records.length + 1), object);
  }

  async #place(sequence: number): Promise<Place> {
    const file = (await this.#files()).find(({ from, to }) => from <= sequence && sequence <= to);
    assert.ok(file);
    return { name: file.name, at: sequence - file.from };
  }

  async #files(): Promise<ChainFiles['files']> {
    return (await listChain(this.#repository, this.record(1))).files;
  }

  async #objects(name: string): Promise<readonly Uint8Array[]> {
    const object = await readOwnObject(this.#repository, name);
    return isBundle(name) ? decodeBundle(object, name).objects : [object];
  }

  async #write(name: string, objects: readonly Uint8Array[]): Promise<void> {
    await removeOwnObject(this.#repository, name);
    const [object] = objects;
    const { component, writer } = this.record(1);
    const [from = 0, to = 0] = name.slice(-21).split('-').map(Number);
    const bundle = { component, writer, from, to, objects: objects.map((one) => Buffer.from(one).toString()) };
    if (isBundle(name))
      await writeOwnObject(this.#repository, name, encodeBundle(bundle, { id: writer, signer: stranger }));
    else if (object !== undefined) await writeOwnObject(this.#repository, name, object);
  }
}

function isBundle(name: string): boolean {
  return /\d{10}-\d{10}$/.test(name);
}

/** Done to the record `at`, where `other` is a later one; each makes `at` the first that is wrong. */
const tampers: Readonly<Record<string, (hands: Hands, at: number, other: number, seed: number) => Promise<void>>> = {
  'edit': async (hands, at, _, seed) => {
    const object = Buffer.from(await hands.object(at));
    const place = seed % object.length;
    const letter = object[place] === 0x41 ? 0x42 : 0x41;
    object[place] = letter;
    await hands.put(at, object);
  },
  'space': async (hands, at) => await hands.put(at, Buffer.concat([await hands.object(at), Buffer.from(' ')])),
  'delete': async (hands, at) => await hands.put(at),
  'truncate': async (hands, at, _, seed) => {
    const object = await hands.object(at);
    await hands.put(at, object.subarray(0, seed % object.length));
  },
  'exchange': async (hands, at, other) => {
    const [one, two] = [await hands.object(at), await hands.object(other)];
    await hands.put(at, two);
    await hands.put(other, one);
  },
  'replay': async (hands, at, other) => await hands.put(at, await hands.object(other)),
  'forge': async (hands, at) => {
    const { previous, sequence, component, writer: id } = hands.record(at);
    const actor = { id: 'nobody', via: 'cli' };
    const facts = { kind: 'run', component, timeNs: startNs, actor, data: {} } as const;
    await hands.put(at, encodeRecord(facts, { id, signer: stranger }, { sequence, previous }));
  },
  'false key': async (hands, at) => {
    const { previous, sequence, component, writer: id, signer } = hands.record(at);
    const actor = { id: 'nobody', via: 'cli' };
    const facts = { kind: 'run', component, timeNs: startNs, actor, data: {} } as const;
    const liar = { publicKey: signer, sign: (message: Uint8Array) => stranger.sign(message) };
    await hands.put(at, encodeRecord(facts, { id, signer: liar }, { sequence, previous }));
  },
  'cut': async (hands, at) => await hands.cutFrom(at),
};

for (const [name, tamper] of Object.entries(tampers))
  test(`in any history, ${name} is found, and the first wrong record is named`, async () => {
    await fc.assert(
      fc.asyncProperty(history, fc.nat(), fc.nat(), fc.nat(), async (steps, which, where, seed) => {
        await using repository = await newRepository();
        const { records, heads } = await play(repository, steps);
        const chains = [...Map.groupBy(records, ({ component, writer }) => `${component} ${writer}`).values()];
        const long = chains.filter(({ length }) => length > 1);
        const { [which % Math.max(1, long.length)]: chain } = long;
        fc.pre(chain !== undefined);
        const at = 1 + (where % (chain.length - 1));
        await tamper(new Hands(repository, chain), at, at + 1 + (seed % (chain.length - at)), seed);
        const judged = await judge(repository, heads);
        const [{ component, writer }] = [chain[0] ?? assert.fail()];
        // What is gone as a whole is missed by who compares with heads of chains that stand nowhere.
        assert.equal(
          judged.length,
          name === 'cut' && at === 1 && judged.length < chains.length ? chains.length - 1 : chains.length,
        );
        for (const { verdict, ...one } of judged) {
          const isIt = one.component === component && one.writer === writer;
          assert.equal(verdict.state, isIt ? 'broken' : 'intact');
          if (isIt && verdict.state === 'broken') {
            assert.equal(verdict.name, recordName(component, writer, at), verdict.reason);
            assert.equal(one.right, at - 1);
          }
        }
      }),
      { numRuns: budget.histories * 2 },
    );
  });
