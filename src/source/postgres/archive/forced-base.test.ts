import assert from 'node:assert/strict';
import { mkdirSync } from 'node:fs';
import { rm, writeFile } from 'node:fs/promises';
import { test } from 'node:test';
import { newRepository } from '../../../../test/support/repository.ts';
import { SteppedClock } from '../../../../test/support/stepped-clock.ts';
import { tempDir, type TempDir } from '../../../../test/support/temp-dir.ts';
import { systemClock } from '../../../clock/clock.ts';
import { HoldfastError } from '../../../errors/error.ts';
import { silent } from '../../../events/events.ts';
import { openLog } from '../../../log/store.ts';
import { MemoryStorage } from '../../../storage/memory.ts';
import type { BaseBackups } from '../../log.ts';
import { ForcedBase } from './forced-base.ts';
import { Gaps } from './gaps.ts';
import { ArchivePlace } from './place.ts';
import { Spool } from './spool.ts';

const minuteMs = 60_000;
const { signal } = new AbortController();

/** A worker’s part in it; what it asks and starts are stand-ins. */
class Stage {
  readonly clock = new SteppedClock();
  readonly warnings: string[] = [];
  readonly notes: unknown[] = [];
  readonly spool: Spool;
  readonly pidFile: string;
  asked = 0;
  started = 0;
  isRunning = false;
  isDue: (sinceNs: bigint | undefined) => Promise<boolean> = async () => true;
  readonly #dir: TempDir;
  #base: ForcedBase;

  constructor(dir: TempDir) {
    this.#dir = dir;
    this.pidFile = dir.file('postmaster.pid');
    this.spool = new Spool(dir.file('state'), 'shop-db', '7');
    mkdirSync(dir.file('state/spool/shop-db/7'), { recursive: true });
    this.#base = this.anew();
  }

  get base(): ForcedBase {
    return this.#base;
  }

  /** As a worker that begins after this one was killed. */
  anew(baseBackups: BaseBackups | undefined = this.#baseBackups()): ForcedBase {
    const { clock, spool } = this;
    const work = {
      ...{ baseBackups, component: 'shop-db', dataDirectory: this.#dir.path, clock },
      listener: (event: Parameters<typeof silent>[0]): void => {
        if (event.kind === 'warning') this.warnings.push(event.message);
        if (event.kind === 'note') this.notes.push({ name: event.name, ...event.data });
      },
    };
    return (this.#base = new ForcedBase({ work, spool, stream: '7', signal }));
  }

  /** Looks once, and waits for what comes of it. */
  async look(): Promise<void> {
    this.base.look();
    await this.base.ended();
  }

  #baseBackups(): BaseBackups {
    return {
      rule: 'full',
      isDue: async (sinceNs) => {
        this.asked++;
        return await this.isDue(sinceNs);
      },
      start: () => {
        this.started++;
        this.isRunning = true;
        return { isRunning: () => this.isRunning };
      },
    };
  }
}

async function stageIn(dir: TempDir): Promise<Stage> {
  const stage = new Stage(dir);
  await writeFile(stage.pidFile, '4711\n');
  return stage;
}

test('a base backup that is owed is made by one process at a time, again after pauses of minutes, until none is due', async () => {
  await using dir = await tempDir();
  const stage = await stageIn(dir);
  await stage.look();
  assert.deepEqual([stage.asked, stage.base.isBusy], [0, false], 'nothing was dropped');
  await stage.base.owe();
  await stage.look();
  assert.deepEqual(stage.notes, [{ name: 'base-backup-started', component: 'shop-db', rule: 'full' }]);
  assert.match(
    stage.warnings.at(-1) ?? '',
    /by the rule full is started, because log was dropped; see .*base-backup.log/,
  );
  const pauses: number[] = [];
  for (let failures = 0; failures < 6; failures++) {
    await stage.base.owe();
    await stage.look();
    assert.deepEqual([stage.started, stage.base.isBusy], [failures + 1, true], 'one is at work');
    await writeFile(stage.spool.baseLog.path, 'the server is not there\n');
    stage.isRunning = false;
    await stage.look();
    const said = /tried again in (\d+) min: none was made; it last said: the server is not there$/;
    const pause = Number(said.exec(stage.warnings.at(-1) ?? '')?.[1]);
    pauses.push(pause);
    stage.clock.pass(pause * minuteMs - 1);
    await stage.look();
    assert.equal(stage.started, failures + 1, 'not before');
    stage.clock.pass(1);
    await stage.look();
  }
  assert.deepEqual(pauses, [1, 2, 4, 8, 15, 15]);
  stage.isRunning = false;
  stage.isDue = async (sinceNs) => sinceNs === undefined; // there is one that began since
  await stage.look();
  assert.deepEqual([stage.started, stage.base.isBusy, stage.spool.notes.isBaseDue()], [7, false, false]);
});

test('a base backup that is owed is known after a kill, whatever the spool is rid of, and not made where another has made one', async () => {
  await using dir = await tempDir();
  const stage = await stageIn(dir);
  await stage.base.owe();
  stage.spool.begin();
  stage.spool.keepOnly(new Set());
  await stage.anew().owe();
  assert.ok(stage.anew().isBusy);
  stage.isDue = async () => false;
  await stage.look();
  assert.deepEqual([stage.started, stage.base.isBusy], [0, false]);
  assert.ok(!stage.anew().isBusy);
});

test('where nobody makes base backups none is owed, and a note of before is left to who does', async () => {
  await using dir = await tempDir();
  const stage = await stageIn(dir);
  const none = { rule: '', isDue: async () => assert.fail(), start: () => assert.fail() };
  const base = new ForcedBase({
    work: {
      component: 'shop-db',
      dataDirectory: dir.path,
      clock: stage.clock,
      listener: silent,
      baseBackups: undefined,
    },
    ...{ spool: stage.spool, stream: '7', signal },
  });
  await base.owe();
  base.look();
  assert.deepEqual([base.isBusy, stage.spool.notes.isBaseDue()], [false, false]);
  await stage.spool.notes.addBaseDue();
  assert.ok(stage.anew(none).isBusy);
});

test('of a server that is stopped none is made, for which no worker stays, and that is told once', async () => {
  await using dir = await tempDir();
  const stage = await stageIn(dir);
  await rm(stage.pidFile);
  await stage.base.owe();
  for (let looks = 0; looks < 3; looks++) await stage.look();
  assert.deepEqual([stage.asked, stage.base.isBusy], [0, false]);
  assert.deepEqual(stage.warnings, ['a base backup is due, because log was dropped, and is made once the server runs']);
  await writeFile(stage.pidFile, '4711\n');
  await stage.look();
  assert.deepEqual([stage.started, stage.base.isBusy], [1, true]);
});

test('whatever goes wrong while it is asked or started is told, tried again later, and fails no worker', async () => {
  await using dir = await tempDir();
  const stage = await stageIn(dir);
  await stage.base.owe();
  for (const error of [new HoldfastError('storage-failed', 'near is away'), new TypeError('a defect')]) {
    stage.isDue = async () => await Promise.reject(error);
    await stage.look();
    assert.match(stage.warnings.at(-1) ?? '', new RegExp(`tried again in \\d min: ${error.message}$`));
    stage.clock.pass(2 * minuteMs);
  }
  assert.ok(stage.base.isBusy && stage.spool.notes.isBaseDue());
});

test('what is dropped while it is asked whether one is due is not paid with that answer', async () => {
  await using dir = await tempDir();
  const stage = await stageIn(dir);
  await stage.base.owe();
  stage.isDue = async () => {
    await stage.base.owe();
    return false;
  };
  await stage.look();
  assert.ok(stage.base.isBusy && stage.spool.notes.isBaseDue());
  stage.isDue = async () => false;
  await stage.look();
  assert.ok(!stage.base.isBusy);
});

test('what is dropped while a base backup runs is not paid with that one: it is asked anew, and another is made', async () => {
  await using dir = await tempDir();
  const stage = await stageIn(dir);
  await stage.base.owe();
  await stage.look();
  stage.isDue = async (sinceNs) => sinceNs === undefined; // it is made, and ends before what is dropped since
  for (const [tookMs, restMs] of [
    [0, minuteMs],
    [3 * minuteMs, 3 * minuteMs],
    [60 * minuteMs, 15 * minuteMs],
  ] as const) {
    const { started } = stage;
    await stage.base.owe();
    stage.clock.pass(tookMs);
    stage.isRunning = false;
    await stage.look();
    assert.ok(stage.base.isBusy && stage.spool.notes.isBaseDue());
    stage.clock.pass(restMs - 1);
    await stage.look();
    assert.equal(stage.started, started, 'the log has its turn first');
    stage.clock.pass(1);
    await stage.look();
    assert.equal(stage.started, started + 1);
  }
  await stage.base.owe();
  stage.isRunning = false;
  await stage.look();
  stage.isDue = async () => false;
  await stage.look();
  assert.ok(!stage.base.isBusy, 'none is due behind that: it is asked at once');
});

test('a base backup whose outcome could not be asked at first is asked for again, and no other is started; one that could not be started was none', async () => {
  await using dir = await tempDir();
  const stage = await stageIn(dir);
  await stage.base.owe();
  await stage.look();
  stage.isRunning = false;
  stage.isDue = async () => await Promise.reject(new HoldfastError('storage-failed', 'near is away'));
  await stage.look();
  stage.clock.pass(minuteMs);
  stage.isDue = async (sinceNs) => sinceNs === undefined;
  await stage.look();
  assert.deepEqual([stage.started, stage.base.isBusy], [1, false]);
  const start = (): never => assert.fail('no process');
  const asked: (bigint | undefined)[] = [];
  const isDue = async (sinceNs: bigint | undefined): Promise<boolean> => asked.push(sinceNs) > 0;
  await stage.anew({ rule: 'full', isDue, start }).owe();
  await stage.look();
  stage.clock.pass(minuteMs);
  await stage.look();
  assert.deepEqual(asked, [undefined, undefined]);
});

test('a base backup is owed before the gap is told in a place, and for none that lacks nothing', async () => {
  await using dir = await tempDir();
  const name = { component: 'shop-db', stream: '7' };
  const dropped = { epoch: 1, from: 1n << 24n, to: 2n << 24n, takenIn: [] };
  const lacking = await newRepository(new MemoryStorage());
  const holding = await newRepository(new MemoryStorage());
  await openLog(holding, name).put(dropped, Buffer.from('whole'), { facts: {} });
  const { notes } = (await stageIn(dir)).spool;
  await notes.addGaps([dropped]);
  const owed: number[] = [];
  for (const repository of [holding, lacking]) {
    const place = new ArchivePlace({
      ...{ dataDirectory: dir.path, name, clock: systemClock, listener: silent, signal },
      place: { repository: 'near', required: true, windowMs: 1, open: async () => repository },
    });
    const gaps: Gaps = new Gaps({
      ...{ notes, places: [place], name, listener: silent, signal },
      onLacking: async () => {
        assert.ok(gaps.isTelling);
        owed.push((await openLog(repository, name).list()).gaps.length);
      },
    });
    gaps.look([]);
    await gaps.ended();
    assert.ok(!gaps.isTelling);
    await place.close();
    await notes.addGaps([dropped]);
  }
  assert.deepEqual(owed, [0]);
  assert.equal((await openLog(lacking, name).list()).gaps.length, 1);
});
