import assert from 'node:assert/strict';
import { mkdir, readFile } from 'node:fs/promises';
import { displayPath } from '../../../src/bytes/ids.ts';
import { systemClock } from '../../../src/clock/clock.ts';
import { openSandbox } from '../../../src/sandbox/sandbox.ts';
import type { Entry } from '../../../src/snapshot/entry.ts';
import type { RehearsedStep } from '../../../src/source/rehearsal.ts';
import { inventoryOf } from './inventory.ts';
import type { ReadingSubject } from './subject.ts';
import { assertAborts, component, failureOf, TrialRepository, type SourceTrial } from './trial.ts';

/** A promise of source.ts about what goes into a repository, and how to see whether it is kept. */
export interface ReadingPromise {
  readonly name: string;
  readonly needs?: keyof ReadingSubject;
  readonly prove: (trial: SourceTrial, subject: ReadingSubject) => Promise<void>;
}

export const readingPromises: readonly ReadingPromise[] = [
  {
    name: 'entries come in order: what a folder holds, ascending by name, then the folder',
    prove: async (trial) => {
      const paths = (await entriesOf(trial)).map(({ path }) => path);
      assert.ok(paths.length > 0);
      assert.deepEqual(paths, inOrder(paths));
      for (const path of paths) assert.doesNotMatch(path, /^\/|\/$|\/\/|(?:^|\/)\.\.?(?:\/|$)/);
    },
  },
  {
    name: 'two walks of what did not change tell the same',
    needs: 'isSteady',
    prove: async (trial) => assert.deepEqual(await shown(trial), await shown(trial)),
  },
  {
    name: 'an estimate counts what the walk finds, and can be left out',
    prove: async (trial) => {
      const estimate = await trial.source().measure?.(trial.walk);
      if (estimate === undefined) return;
      const files = (await entriesOf(trial)).filter(({ metadata }) => metadata.type === 'file');
      assert.equal(estimate.files, files.length);
    },
  },
  {
    name: 'what is backed up is restored byte by byte',
    prove: async (trial, { expected }) => {
      const repository = new TrialRepository();
      const { snapshot, unread } = await repository.backUp(trial, trial.open());
      assert.equal(unread, 0);
      const target = trial.dir.file('restored');
      await repository.restore(snapshot, target);
      const wanted = expected(trial.dir.path);
      assert.ok(wanted.size > 0);
      for (const [path, bytes] of wanted)
        assert.deepEqual(await readFile(`${target}/${path}`), Buffer.from(bytes), path);
    },
  },
  {
    name: 'what can’t be read is told or fails: never a clean success',
    prove: async (trial, { spoil }) => {
      await spoil(trial.dir.path);
      const repository = new TrialRepository();
      const outcome = await repository
        .backUp(trial, trial.open())
        .catch((error: unknown) => void trial.told.things.push(error));
      if (outcome === undefined) assert.equal(await repository.count(), 0, 'it failed and left a snapshot');
      else assert.ok(outcome.unread > 0, 'nothing was told');
    },
  },
  {
    name: 'nothing at all is a failure that leaves no snapshot',
    prove: async (trial, { empty }) => {
      await empty(trial.dir.path);
      const repository = new TrialRepository();
      await failureOf(trial, async () => await repository.backUp(trial, trial.open()));
      assert.equal(await repository.count(), 0);
    },
  },
  {
    name: 'nothing at all is a success where the options allow it',
    needs: 'allowingEmpty',
    prove: async (trial, { empty, allowingEmpty }) => {
      await empty(trial.dir.path);
      const repository = new TrialRepository();
      await repository.backUp(trial, trial.open(allowingEmpty?.(trial.options)));
      assert.equal(await repository.count(), 1);
    },
  },
  {
    name: 'an abort ends the walk soon, with its reason',
    prove: async (trial) =>
      await assertAborts(async (signal) => {
        for await (const entry of trial.source().entries({ ...trial.walk, signal })) {
          await new Promise(setImmediate);
          await read(entry);
        }
      }),
  },
  {
    name: 'an abort ends what never ends by itself, and nothing of it goes on',
    needs: 'hang',
    prove: async (trial, { hang }) => {
      const isRunning = (await hang?.(trial.dir.path)) ?? (() => false);
      const reading = async (signal: AbortSignal): Promise<void> => {
        for await (const entry of trial.source().entries({ ...trial.walk, signal })) await read(entry);
      };
      await assertAborts(reading, isRunning);
      const late = AbortSignal.timeout(60_000);
      while (isRunning()) {
        late.throwIfAborted();
        await new Promise(setImmediate);
      }
    },
  },
  {
    name: 'an error names the component, and a warning the item',
    prove: async (trial, { empty, spoil }) => {
      await spoil(trial.dir.path);
      await entriesOf(trial).catch((error: unknown) => void trial.told.things.push(error));
      for (const event of trial.told.events) if (event.kind === 'warning') assert.notEqual(event.item, '');
      await empty(trial.dir.path);
      const { message, code } = await failureOf(trial, async () => await entriesOf(trial));
      assert.equal(code, 'source-failed');
      assert.ok(message.startsWith(`${component}: `), message);
    },
  },
  {
    name: 'a probe finds nothing lacking, names what is taken away, and changes nothing',
    prove: async (trial, { takeAway }) => {
      const { probe } = trial.open();
      assert.ok(probe, 'it has no probe');
      const before = await inventoryOf(trial.dir.path);
      assert.deepEqual(await probe(trial.walk), []);
      assert.deepEqual(await inventoryOf(trial.dir.path), before);
      const name = await takeAway(trial.dir.path);
      const after = await inventoryOf(trial.dir.path);
      const lacking = await probe(trial.walk);
      trial.told.things.push(lacking);
      assert.deepEqual(
        lacking.map(({ what }) => what),
        [name],
      );
      assert.ok(lacking.every(({ reason }) => reason !== ''));
      assert.deepEqual(await inventoryOf(trial.dir.path), after);
    },
  },
  {
    name: 'brought up in a sandbox, a sound copy passes and a damaged one never does',
    needs: 'rehearsed',
    prove: async (trial, { rehearsed }) => {
      assert.ok(rehearsed);
      const opened = trial.open(rehearsed.options(trial.dir.path));
      const repository = new TrialRepository();
      const { snapshot } = await repository.backUp(trial, opened);
      for (const damage of [async () => undefined, rehearsed.damage]) {
        const scratch = trial.dir.file(damage === rehearsed.damage ? 'damaged' : 'sound');
        await mkdir(`${scratch}/work`, { recursive: true, mode: 0o755 });
        await repository.restore(snapshot, `${scratch}/restored`);
        await damage(`${scratch}/restored`);
        const steps = await rehearse(opened, scratch);
        const hasPassed = steps.every(({ state }) => state === 'passed');
        assert.equal(hasPassed, damage !== rehearsed.damage, JSON.stringify(steps));
      }
    },
  },
];

async function rehearse(
  { rehearsal }: ReturnType<SourceTrial['open']>,
  scratch: string,
): Promise<readonly RehearsedStep[]> {
  assert.ok(rehearsal, 'it can’t be brought up');
  // Of the disk others take what they want meanwhile.
  const limits = { memoryBytes: 2 ** 28, diskBytes: 2 ** 40, timeMs: 300_000 };
  const folder = rehearsal.folder === 'empty' ? `${scratch}/work` : `${scratch}/restored`;
  const { signal } = new AbortController();
  const visible = (await rehearsal.programs?.(`${scratch}/restored`, signal)) ?? [];
  await using sandbox = await openSandbox({ folder, hidden: [], visible, limits, clock: systemClock, signal });
  const brought = await rehearsal.bringUp(sandbox, `${scratch}/restored`, signal);
  return [
    ...brought.steps,
    ...(await rehearsal.ask(sandbox, brought, { of: 'all', tables: undefined, random: Math.random })),
  ];
}

/** All of them, streams read to their end. */
async function entriesOf(trial: SourceTrial): Promise<readonly Entry[]> {
  const entries: Entry[] = [];
  for await (const entry of trial.source().entries(trial.walk)) {
    await read(entry);
    entries.push(entry);
    trial.told.things.push({ ...entry, content: entry.content.kind });
  }
  return entries;
}

async function read({ content }: Entry): Promise<Buffer | undefined> {
  return content.kind === 'stream' ? Buffer.concat(await Array.fromAsync(content.stream)) : undefined;
}

/** What of entries can be compared: what stands on no disk has the time at which it was read, and a stream its bytes. */
async function shown(trial: SourceTrial): Promise<readonly unknown[]> {
  const all: unknown[] = [];
  for await (const entry of trial.source().entries(trial.walk)) {
    const { path, metadata, content } = entry;
    const { type, mode } = metadata;
    const told = metadata.inode === 0n ? { type, mode } : metadata;
    all.push([displayPath(path), told, content.kind === 'stream' ? await read(entry) : content]);
  }
  return all;
}

/** Depth first, by the bytes of names, each folder after what it holds. */
function inOrder<T extends string>(paths: readonly T[]): readonly T[] {
  const key = (path: string): readonly string[] => path.split('/');
  return paths.toSorted((a, b) => compared(key(a), key(b)));
}

function compared(a: readonly string[], b: readonly string[]): number {
  for (let at = 0; at < Math.min(a.length, b.length); at += 1) {
    const [x = '', y = ''] = [a[at], b[at]];
    if (x !== y) return x < y ? -1 : 1;
  }
  return b.length - a.length;
}
