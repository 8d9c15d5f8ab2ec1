import assert from 'node:assert/strict';
import { test } from 'node:test';
import { orAborted } from './abort.ts';
import { TaskGroup } from './task-group.ts';

const untilAborted = (signal: AbortSignal): Promise<void> => orAborted(new Promise<never>(() => undefined), signal);

test('wait resolves after every task, those started by tasks included', async () => {
  await using group = new TaskGroup();
  const done: string[] = [];
  group.run(async () => {
    await new Promise(setImmediate);
    group.run(async () => {
      await new Promise(setImmediate);
      done.push('child');
    });
    done.push('parent');
  });
  await group.wait();
  assert.deepEqual(done, ['parent', 'child']);
});

test('the first failure cancels the siblings and is what wait throws', async () => {
  await using group = new TaskGroup();
  let cancelled = false;
  group.run(async (signal) => {
    await untilAborted(signal).finally(() => {
      cancelled = true;
    });
  });
  group.run(async () => {
    throw new Error('first');
  });
  await assert.rejects(group.wait(), /first/);
  assert.equal(cancelled, true);
  assert.equal(group.errors.length, 1);
});

test('failures of siblings while they are cancelled are kept', async () => {
  await using group = new TaskGroup();
  group.run(async (signal) => {
    await untilAborted(signal).catch(() => {
      throw new Error('second');
    });
  });
  group.run(async () => {
    throw new Error('first');
  });
  await assert.rejects(group.wait(), /first/);
  assert.deepEqual(group.errors.map(String), ['Error: first', 'Error: second']);
});

test('an abort from outside ends the tasks, and wait throws its reason', async () => {
  const controller = new AbortController();
  await using group = new TaskGroup({ signal: controller.signal });
  group.run(untilAborted);
  controller.abort(new Error('interrupted'));
  await assert.rejects(group.wait(), /interrupted/);
});

test('leaving a scope by an exception ends the tasks and lets the exception through', async () => {
  let ended = false;
  const scope = async (): Promise<void> => {
    await using group = new TaskGroup();
    group.run((signal) =>
      untilAborted(signal).finally(() => {
        ended = true;
      }),
    );
    throw new Error('in flight');
  };
  await assert.rejects(scope(), { message: 'in flight' });
  assert.equal(ended, true);
});

test('a limited group starts no queued task after a failure', async () => {
  await using group = new TaskGroup({ limit: 1 });
  let started = 0;
  group.run(async () => {
    started++;
    throw new Error('first');
  });
  for (let n = 0; n < 5; n++) {
    group.run(async () => {
      started++;
    });
  }
  await assert.rejects(group.wait(), /first/);
  assert.equal(started, 1);
});
