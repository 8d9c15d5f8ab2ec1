import assert from 'node:assert/strict';
import { test } from 'node:test';
import { componentContextOver } from '../../test/support/component-context.ts';
import { MovableClock } from '../../test/support/movable-clock.ts';
import { newRepository } from '../../test/support/repository.ts';
import { tempDir, type TempDir } from '../../test/support/temp-dir.ts';
import { newSignerPem, signerFromPem } from '../crypto/signature.ts';
import type { Event } from '../events/events.ts';
import { loadPolicy } from '../policy/load.ts';
import { appendRecord, writeHead } from '../record/chain.ts';
import { recordName } from '../record/form.ts';
import { wholeRepository, type RecordFacts, type StoredRecord } from '../record/record.ts';
import { removeOwnObject } from '../repository/own-object.ts';
import { FaultyStorage } from '../storage/fault.ts';
import { MemoryStorage } from '../storage/memory.ts';
import type { Storage } from '../storage/storage.ts';
import type { ComponentContext } from './component.ts';
import { failuresOf, newestFailures } from './failures.ts';
import { judgeRecords } from './judge-records.ts';
import { proofsIn, successesAheadFirst } from './points.ts';
import { statusOf } from './status.ts';

function fact(time: number, outcome: string, level: string): RecordFacts {
  const actor = { id: 'ann', via: 'cli' };
  const data = { outcome, level, point: 'p' };
  return { kind: 'verification', component: 'shop', timeNs: BigInt(time), actor, repository: 'near', data };
}

function verification(time: number, outcome: string, level: string): StoredRecord {
  const place = { name: '', writer: 'here-1', sequence: time, previous: '', hash: '', signer: '' };
  return { ...fact(time, outcome, level), ...place };
}

test('a restore that failed is not made good by a verification that looks at less', () => {
  const failed = verification(1, 'failed', 'restore');
  const less = [failed, verification(2, 'verified', 'structure')];
  assert.deepEqual(
    newestFailures(less).map(({ outcome }) => outcome),
    ['failed'],
  );
  assert.deepEqual(proofsIn(less)('shop', 'near', 'p'), { state: 'failed', level: 'restore', timeNs: 1n });
  for (const sequel of ['failed structure', 'failed restore']) {
    const [outcome = '', level = ''] = sequel.split(' ');
    const mended = [verification(0, outcome, level), verification(2, 'verified', 'restore')];
    assert.deepEqual(newestFailures(mended), [], sequel);
    assert.deepEqual(proofsIn(mended)('shop', 'near', 'p'), { state: 'verified', level: 'restore', timeNs: 2n });
  }
});

/** One component, and the storages of its repositories by their names. */
function contextOver(
  storageOf: (name: string) => Storage,
  dir: TempDir,
  repositories: string,
  warnings: string[],
): ComponentContext {
  const clock = new MovableClock();
  const { policy } = loadPolicy(`version: 1
${repositories}
components:
  shop: { files: { paths: [/srv] }, backups: { hourly: { every: 1h, to: { near: { keep: { last: 7 } } } } } }
`);
  assert.ok(policy);
  const listener = (event: Event): void => (event.kind === 'warning' ? void warnings.push(event.message) : undefined);
  return componentContextOver({ policy, storageOf, clock, stateFolder: dir.file('state') }, { listener });
}

test('a chain that ends before its end is told in a status: what failed may stand behind', async () => {
  await using dir = await tempDir();
  const [storage, warnings] = [new MemoryStorage(), new Array<string>()];
  await using repository = await newRepository(storage);
  const writer = { id: 'here-1', signer: signerFromPem(newSignerPem()) };
  for (const [at, outcome] of ['verified', 'failed', 'verified'].entries())
    await appendRecord(repository, fact(at, outcome, 'restore'), writer);
  const repositories = 'repositories: { near: { url: /near, password: { env: P } } }';
  const context = contextOver(() => storage, dir, repositories, warnings);
  const [healthy] = await statusOf(context, ['shop']);
  assert.deepEqual(healthy?.failures, { counted: [], past: [] });
  await removeOwnObject(repository, recordName('shop', 'here-1', 2));
  const [status] = await statusOf(context, ['shop']);
  assert.deepEqual(
    status?.failures.counted.map(({ what, outcome }) => [what, outcome]),
    [['the records in near', 'could not verify']],
  );
  assert.match(warnings.join('\n'), /shop\/here-1\/0000000002: it is missing.*from there on is not known/);
});

test('a repository that opens and fails while keys are introduced hides nothing of the others', async () => {
  await using dir = await tempDir();
  const [storage, warnings] = [new MemoryStorage(), new Array<string>()];
  await using repository = await newRepository(storage);
  const writer = { id: 'here-1', signer: signerFromPem(newSignerPem()) };
  await appendRecord(repository, { ...fact(1, 'done', ''), kind: 'key', component: wholeRepository }, writer);
  await appendRecord(repository, fact(2, 'failed', 'restore'), writer);
  const faulty = new FaultyStorage(storage, {
    faultFor: ({ kind, key }) => (kind === 'get' && key.includes(wholeRepository) ? 'error' : undefined),
  });
  const repositories = `signers: ["${writer.signer.publicKey}"]
repositories: { near: { url: /near, password: { env: P } } }`;
  const context = contextOver(() => faulty, dir, repositories, warnings);
  const [status] = await statusOf(context, ['shop']);
  assert.deepEqual(
    status?.failures.counted.map(({ outcome }) => outcome),
    ['failed'],
  );
  assert.match(warnings.join('\n'), /whose keys its records introduce is not known/);
  const { unknown } = await judgeRecords(context, { components: [] });
  assert.equal(unknown, 1);
});

test('a second name of one repository can’t tell whether the end of a chain was cut off', async () => {
  await using dir = await tempDir();
  const storage = new MemoryStorage();
  await using repository = await newRepository(storage);
  const writer = { id: 'here-1', signer: signerFromPem(newSignerPem()) };
  const { hash } = await appendRecord(repository, fact(1, 'verified', 'restore'), writer);
  const place = { repository: repository.config.id, component: 'shop', writer: writer.id };
  await writeHead(repository, { ...place, sequence: 1, hash }, writer);
  const repositories = `signers: ["${writer.signer.publicKey}"]
repositories: { near: { url: /near, password: { env: P } }, again: { url: /link, password: { env: P } } }`;
  const { chains } = await judgeRecords(
    contextOver(() => storage, dir, repositories, []),
    { components: [] },
  );
  assert.deepEqual(new Set(chains.map(({ verdict }) => verdict.state)), new Set(['unknown']));
});

test('a mirror without the records of its twin is no proof that they are gone', async () => {
  await using dir = await tempDir();
  const [near, far] = [new MemoryStorage(), new MemoryStorage()];
  await using repository = await newRepository(near);
  const mirror = new MemoryStorage();
  for await (const { key } of near.list('')) await mirror.put(key, [await near.get(key)]);
  await using other = await newRepository(far);
  const writer = { id: 'here-1', signer: signerFromPem(newSignerPem()) };
  const { hash } = await appendRecord(repository, fact(1, 'verified', 'restore'), writer);
  const place = { repository: repository.config.id, component: 'shop', writer: writer.id };
  await writeHead(other, { ...place, sequence: 1, hash }, writer);
  const password = '{ env: P }';
  const repositories = `signers: ["${writer.signer.publicKey}"]
repositories: { near: { url: /near, password: ${password} }, far: { url: /far, password: ${password} }, mirror: { url: /mirror, password: ${password} } }`;
  const orders: readonly Readonly<Record<string, Storage>>[] = [
    { near, far, mirror },
    { near: mirror, far, mirror: near },
  ];
  for (const storages of orders) {
    const { chains } = await judgeRecords(
      contextOver((name) => storages[name] ?? assert.fail(name), dir, repositories, []),
      { components: [] },
    );
    const states = chains.map(({ repository: name, verdict }) => `${name} ${verdict.state}`);
    const whole = storages['near'] === near ? 'near' : 'mirror';
    assert.ok(states.includes(`${whole} intact`), states.join());
    assert.ok(!states.some((one) => one.endsWith('broken')), states.join());
  }
});

test('what went well by a clock that is far ahead hides no failure; what failed by one is a failure', () => {
  const year = 31_536_000_000_000_000;
  const hidden = [verification(1, 'failed', 'restore'), verification(year, 'verified', 'restore')];
  const ordered = successesAheadFirst(hidden, 2n);
  assert.equal(newestFailures(ordered).length, 1);
  assert.equal(proofsIn(ordered)('shop', 'near', 'p').state, 'failed');
  const ahead = [verification(1, 'verified', 'restore'), verification(year, 'failed', 'restore')];
  assert.equal(newestFailures(successesAheadFirst(ahead, 2n)).length, 1);
  const near = [verification(1, 'failed', 'restore'), verification(5, 'verified', 'restore')];
  assert.deepEqual(newestFailures(successesAheadFirst(near, 2n)), []);
});

test('a wish that was refused is no failure, and takes none back', () => {
  const refused: StoredRecord = { ...verification(2, 'refused', ''), kind: 'restore' };
  const failed: StoredRecord = { ...verification(1, 'failed', ''), kind: 'restore' };
  assert.deepEqual(newestFailures([refused]), []);
  assert.equal(newestFailures([failed, refused]).length, 1);
});

test('a failure of a rule or a place that the policy has no longer is told and not counted', () => {
  const { policy } = loadPolicy(`version: 1
repositories: { near: { url: /near, password: { env: P } }, far: { url: /far, password: { env: P } } }
components:
  shop: { files: { paths: [/srv] }, backups: { hourly: { every: 1h, to: { near: { keep: { last: 7 } }, far: { keep: { last: 7 } } } } } }
`);
  assert.ok(policy);
  const failed = (kind: StoredRecord['kind'], rule: string, repository: string): StoredRecord => {
    const record = verification(1, 'failed', '');
    return { ...record, kind, repository, data: { outcome: 'failed', rule, message: 'no' } };
  };
  const [counts, past] = [
    [failed('run', 'hourly', 'near'), failed('copy', 'hourly', 'far'), failed('forget', 'hourly', 'near')],
    [failed('run', 'nightly', 'near'), failed('run', 'hourly', 'far'), failed('copy', 'hourly', 'gone')],
  ];
  const found = failuresOf(policy, 'shop', { records: [...counts, ...past], gone: [], cut: [] }, 2n);
  const places = ['run of hourly in near', 'copy of hourly in far', 'forget of hourly in near'];
  assert.deepEqual(
    found.counted.map(({ what }) => what),
    places,
  );
  assert.equal(found.past.length, 3);
});
