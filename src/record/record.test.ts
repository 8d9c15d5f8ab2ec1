import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { test } from 'node:test';
import { newRepository } from '../../test/support/repository.ts';
import { tempDir } from '../../test/support/temp-dir.ts';
import { newSignerPem, signerFromPem } from '../crypto/signature.ts';
import { readOwnObject, removeOwnObject, writeOwnObject } from '../repository/own-object.ts';
import type { Repository } from '../repository/repository.ts';
import { MemoryStorage } from '../storage/memory.ts';
import { appendRecord, writeHead } from './chain.ts';
import { deliver } from './deliver.ts';
import { foldClosedMonths } from './fold.ts';
import { encodeRecord, hashOf, headName, recordName } from './form.ts';
import { readHeads, type SignedHead } from './heads.ts';
import type { RecordFacts, StoredRecord, Writer } from './record.ts';
import { keepWaiting, unreadableWaiting, waitingFor } from './outbox.ts';
import { writerOf } from './state.ts';
import { thinHeads } from './thin-heads.ts';
import { verifyChains, type ChainVerdict, type Verdict, type VerifyOptions } from './verdict.ts';

function newWriter(id = 'host-1'): Writer {
  return { id, signer: signerFromPem(newSignerPem()) };
}

function fact(n: number, component = 'shop'): RecordFacts {
  const actor = { id: 'ops', via: 'cli' };
  return { kind: 'run', component, timeNs: BigInt(n) * 1_000_000_000n, actor, data: { n } };
}

async function chain(repository: Repository, writer: Writer, length: number): Promise<readonly StoredRecord[]> {
  const records: StoredRecord[] = [];
  for (let n = 1; n <= length; n += 1) records.push(await appendRecord(repository, fact(n), writer));
  return records;
}

/** A chain's records, and what is said of them. */
type Judged = ChainVerdict & { readonly records: readonly StoredRecord[] };

async function judge(
  repository: Repository,
  signers: readonly string[] | undefined,
  heads: VerifyOptions['heads'],
): Promise<readonly Judged[]> {
  const records: StoredRecord[] = [];
  const onRecord = (record: StoredRecord): void => void records.push(record);
  const verdicts = await verifyChains(repository, { signersOf: () => signers, heads, onRecord });
  return verdicts.map((one) => ({ ...one, records: records.filter(({ writer }) => writer === one.writer) }));
}

/** The heads that another repository would have been told. */
function headsOf(repository: Repository, records: readonly StoredRecord[]): readonly SignedHead[] {
  const home = repository.config.id;
  return records.map(({ component, writer, sequence, hash, signer }) => {
    return { repository: home, component, writer, sequence, hash, signer };
  });
}

async function verdictOf(
  repository: Repository,
  writer: Writer,
  heads: readonly SignedHead[],
): Promise<{ readonly right: number; readonly verdict: Verdict }> {
  const [judged] = await judge(repository, [writer.signer.publicKey], heads);
  assert.ok(judged);
  assert.equal(judged.records.length, judged.right);
  return judged;
}

/** Puts an object in place of another, as who has the storage and the password can. */
async function replace(repository: Repository, name: string, object: Uint8Array): Promise<void> {
  await removeOwnObject(repository, name);
  await writeOwnObject(repository, name, object);
}

test('a chain is read back as it was written, and found intact', async () => {
  await using repository = await newRepository();
  const writer = newWriter();
  const written = await chain(repository, writer, 5);
  const key = writer.signer.publicKey;
  assert.deepEqual(await judge(repository, [key], headsOf(repository, written)), [
    {
      component: 'shop',
      writer: 'host-1',
      right: 5,
      firstSigner: key,
      records: written,
      verdict: { state: 'intact' },
    },
  ]);
});

const nameOf = (sequence: number): string => recordName('shop', 'host-1', sequence);

type Tamper = (repository: Repository, writer: Writer) => Promise<void>;

/** What somebody with the repository's password may do, the number of the record that is then wrong, and why. */
const tampers: readonly (readonly [string, Tamper, number, RegExp])[] = [
  [
    'edited',
    async (repository) => {
      const object = Buffer.from(await readOwnObject(repository, nameOf(3))).toString();
      await replace(repository, nameOf(3), Buffer.from(object.replace(String.raw`\"n\":3`, String.raw`\"n\":4`)));
    },
    3,
    /not signed by the key that it names/,
  ],
  ['removed', async (repository) => await removeOwnObject(repository, nameOf(3)), 3, /it is missing/],
  ['removed at the beginning', async (repository) => await removeOwnObject(repository, nameOf(1)), 1, /missing/],
  [
    'put in another order',
    async (repository) => {
      const [third, fourth] = [await readOwnObject(repository, nameOf(3)), await readOwnObject(repository, nameOf(4))];
      await replace(repository, nameOf(3), fourth);
      await replace(repository, nameOf(4), third);
    },
    3,
    /holds the content of another object/,
  ],
  [
    'replayed',
    async (repository) => await writeOwnObject(repository, nameOf(7), await readOwnObject(repository, nameOf(2))),
    7,
    /holds the content of another object/,
  ],
  [
    'truncated',
    async (repository) =>
      await replace(repository, nameOf(4), (await readOwnObject(repository, nameOf(4))).subarray(0, 50)),
    4,
    /is no JSON/,
  ],
  [
    'written anew by its own writer',
    async (repository, writer) =>
      await replace(repository, nameOf(3), encodeRecord(fact(99), writer, { sequence: 3, previous: '' })),
    3,
    /does not follow the record before it/,
  ],
  [
    'forged with another key',
    async (repository) => {
      const second = await readOwnObject(repository, nameOf(2));
      const link = { sequence: 3, previous: hashOf(second) };
      await replace(repository, nameOf(3), encodeRecord(fact(3), newWriter(), link));
    },
    3,
    /signed by a key that nobody introduced/,
  ],
  [
    'forged at the end',
    async (repository) => void (await appendRecord(repository, fact(7), newWriter())),
    7,
    /signed by a key that nobody introduced/,
  ],
];

for (const [what, tamper, wrong, reason] of tampers) {
  test(`a record that was ${what} is named as the first wrong one`, async () => {
    await using repository = await newRepository();
    const writer = newWriter();
    const [first] = await chain(repository, writer, 6);
    assert.ok(first);
    await tamper(repository, writer);
    const { verdict, right } = await verdictOf(repository, writer, headsOf(repository, [first]));
    assert.equal(verdict.state, 'broken');
    assert.match(verdict.reason, reason);
    assert.equal(Number(/(\d+)$/.exec(verdict.name)?.[1]), wrong);
    assert.equal(right, wrong - 1);
  });
}

test('a tail that was cut off shows by the heads that another repository was told', async () => {
  await using repository = await newRepository();
  await using other = await newRepository();
  const writer = newWriter();
  for (const head of headsOf(repository, await chain(repository, writer, 4))) await writeHead(other, head, writer);
  const { heads, unreadable } = await readHeads(other);
  assert.deepEqual(unreadable, []);
  assert.deepEqual((await verdictOf(repository, writer, heads)).verdict, { state: 'intact' });
  await removeOwnObject(repository, nameOf(4));
  const { verdict } = await verdictOf(repository, writer, heads);
  assert.equal(verdict.state, 'broken');
  assert.match(verdict.reason, /it is gone: another repository was told of 4 records/);
});

test('without a second repository, or without a trusted signer, nobody can tell', async () => {
  await using repository = await newRepository();
  const writer = newWriter();
  const heads = headsOf(repository, await chain(repository, writer, 2));
  const key = writer.signer.publicKey;
  for (const [signers, known] of [
    [[key], undefined],
    [[key], []],
    [undefined, heads],
  ] as const) {
    const [judged] = await judge(repository, signers, known);
    assert.equal(judged?.verdict.state, 'unknown');
  }
  const elsewhere = heads.map((head) => ({ ...head, repository: 'another' }));
  assert.equal((await verdictOf(repository, writer, elsewhere)).verdict.state, 'unknown');
  const strange = heads.map((head) => ({ ...head, hash: 'f00', signer: newWriter().signer.publicKey }));
  assert.equal((await verdictOf(repository, writer, strange)).verdict.state, 'unknown');
});

test('a key that a trusted record introduces is believed from then on', async () => {
  await using repository = await newRepository();
  const [first, second] = [newWriter(), newWriter()];
  const begun = await appendRecord(repository, fact(1), first);
  const key = { ...fact(2), kind: 'key', data: { signer: second.signer.publicKey } } as const;
  await appendRecord(repository, key, first);
  await appendRecord(repository, fact(3), second);
  const { verdict } = await verdictOf(repository, first, headsOf(repository, [begun]));
  assert.deepEqual(verdict, { state: 'intact' });
});

test('two writers, and two processes of one writer, fork nothing', async () => {
  await using repository = await newRepository();
  const [one, two] = [newWriter('one'), newWriter('two')];
  const writers = [one, one, one, two, two];
  const written = await Promise.all(writers.map(async (writer) => await chain(repository, writer, 6)));
  const signers = [one.signer.publicKey, two.signer.publicKey];
  const chains = await judge(repository, signers, headsOf(repository, written.flat()));
  const found = chains.map(({ writer, records, verdict }) => [writer, records.length, verdict.state]);
  assert.deepEqual(found, [
    ['one', 18, 'intact'],
    ['two', 12, 'intact'],
  ]);
});

test('what waits on this host is written with the next record, in its order', async () => {
  await using dir = await tempDir();
  await using repository = await newRepository();
  const state = { folder: dir.file('state') };
  const writer = await writerOf(state, 'my host');
  assert.match(writer.id, /^my-host-[0-9a-f]{8}$/);
  assert.deepEqual((await writerOf(state, 'renamed')).id, writer.id);
  for (const one of [fact(1), fact(2, 'other'), fact(3)]) await keepWaiting(state, one);
  await deliver(repository, fact(4), { writer, state });
  const [judged] = await judge(repository, [writer.signer.publicKey], []);
  assert.deepEqual(
    judged?.records.map(({ data }) => data),
    [{ n: 1 }, { n: 3 }, { n: 4 }],
  );
  assert.deepEqual((await Array.fromAsync(waitingFor(state, 'shop'))).length, 0);
  assert.deepEqual((await Array.fromAsync(waitingFor(state, 'other'))).length, 1);
});

test('closed months are folded into bundles, which prove the same; what may not be removed is read once', async () => {
  const storage = new MemoryStorage();
  await using repository = await newRepository(storage);
  const writer = newWriter();
  const written = await chain(repository, writer, 8);
  const kept = await readOwnObject(repository, nameOf(2));
  assert.equal(await foldClosedMonths(repository, writer, 7_000_000_000n), 6);
  await writeOwnObject(repository, nameOf(2), kept);
  const [judged] = await judge(repository, [writer.signer.publicKey], headsOf(repository, written));
  assert.deepEqual(judged?.records, written);
  assert.deepEqual(judged.verdict, { state: 'intact' });
  const ninth = await appendRecord(repository, fact(9), writer);
  assert.equal(ninth.sequence, 9);
  assert.equal((await verdictOf(repository, writer, [])).right, 9);
});

test('a chain that begins with another key than the one that is believed is broken at its first record, and both keys are named', async () => {
  await using repository = await newRepository();
  const [writer, { signer: other }] = [newWriter(), newWriter()];
  await chain(repository, writer, 2);
  const [judged] = await judge(repository, [other.publicKey], []);
  assert.equal(judged?.verdict.state, 'broken');
  assert.equal(judged.verdict.name, nameOf(1));
  assert.ok(judged.verdict.reason.includes(writer.signer.publicKey));
  assert.ok(judged.verdict.reason.includes(other.publicKey));
});

test('of what is folded the other repository keeps its newest head, which covers all before it', async () => {
  await using repository = await newRepository();
  await using other = await newRepository();
  const writer = newWriter();
  for (const head of headsOf(repository, await chain(repository, writer, 9))) await writeHead(other, head, writer);
  await foldClosedMonths(repository, writer, 5_000_000_000n);
  await removeOwnObject(
    other,
    headName({ repository: repository.config.id, component: 'shop', writer: 'host-1', sequence: 4 }),
  );
  assert.equal(await thinHeads(other, repository, { component: 'shop', writer: 'host-1' }), 2);
  const { heads } = await readHeads(other);
  assert.deepEqual(
    heads.map(({ sequence }) => sequence).toSorted((a, b) => a - b),
    [3, 5, 6, 7, 8, 9],
  );
  assert.deepEqual((await verdictOf(repository, writer, heads)).verdict, { state: 'intact' });
  assert.equal(await thinHeads(other, repository, { component: 'shop', writer: 'host-1' }), 0);
});

test('a fact that waits and makes no sense holds nothing else back, and stays', async () => {
  await using dir = await tempDir();
  await using repository = await newRepository();
  const state = { folder: dir.file('state') };
  await keepWaiting(state, fact(1));
  await writeFile(dir.file('state/outbox/00000000000000000000-0.json'), '{"kind":"run"');
  const writer = newWriter();
  await deliver(repository, fact(2), { writer, state });
  const [judged] = await judge(repository, [writer.signer.publicKey], []);
  assert.equal(judged?.right, 2);
  const [unreadable] = await unreadableWaiting(state);
  assert.match(unreadable?.message ?? '', /00000000000000000000-0\.json is no JSON/);
});

test('no head is removed for the sake of one that is damaged, forged, or says otherwise than the chain', async () => {
  await using repository = await newRepository();
  const writer = newWriter();
  const records = await chain(repository, writer, 9);
  await foldClosedMonths(repository, writer, 9_000_000_000n);
  const [third, , , , , , , eighth] = headsOf(repository, records);
  assert.ok(third && eighth);
  const stranger = newWriter();
  const others: readonly (readonly [string, (other: Repository) => Promise<void>])[] = [
    ['forged', async (other) => await writeHead(other, eighth, stranger)],
    ['other', async (other) => await writeHead(other, { ...eighth, hash: third.hash }, writer)],
    ['damaged', async (other) => await writeOwnObject(other, headName(eighth), Buffer.from('{}'))],
  ];
  for (const [what, write] of others) {
    await using other = await newRepository();
    await writeHead(other, third, writer);
    await write(other);
    assert.equal(await thinHeads(other, repository, { component: 'shop', writer: 'host-1' }), 0, what);
  }
});

test('nothing is removed for a bundle that the storage does not give back as it was written', async () => {
  const storage = new MemoryStorage();
  await using repository = await newRepository(storage);
  const writer = newWriter();
  await chain(repository, writer, 4);
  const put = storage.put.bind(storage);
  Object.assign(storage, {
    put: async (...[key, data, options]: Parameters<typeof put>) => {
      await put(key, [Buffer.concat(data).fill(0, 40)], options);
    },
  });
  await assert.rejects(foldClosedMonths(repository, writer, 4_000_000_000n), { code: 'damaged' });
  for (const sequence of [1, 2, 3, 4]) await readOwnObject(repository, nameOf(sequence));
});

test('a fact that is too large is recorded in short, and holds back nothing that comes after it', async () => {
  await using dir = await tempDir();
  await using repository = await newRepository();
  const [writer, state] = [newWriter(), { folder: dir.file('state') }];
  const data = { outcome: 'done', message: 'long '.repeat(20_000), points: Array(2000).fill('name of a point') };
  await keepWaiting(state, { ...fact(1), data });
  await deliver(repository, fact(2), { writer, state });
  const [judged] = await judge(repository, [writer.signer.publicKey], []);
  assert.deepEqual(
    judged?.records.map((record) => record.data),
    [{ outcome: 'done', message: `${'long '.repeat(100)}…`, shortened: true }, { n: 2 }],
  );
});
