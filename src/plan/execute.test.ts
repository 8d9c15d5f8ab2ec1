import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ManualClock } from '../clock/manual-clock.ts';
import { HoldfastError } from '../errors/error.ts';
import { confirm, execute, undo } from './execute.ts';
import type { Surroundings } from './execution.ts';
import { hashOfPlan } from './form.ts';
import type { Entry } from './journal.ts';
import type { Plan, Step, StepCall, StepKinds } from './plan.ts';
import type { Standing } from './standing.ts';

function step(key: string, more: Partial<Step> = {}): Step {
  return {
    key,
    kind: 'effect',
    where: 'here',
    arguments: {},
    undo: 'in order',
    timeoutMs: 1000,
    retry: { attempts: 1, pauseMs: 10 },
    approval: 'none',
    manual: '',
    ...more,
  };
}

function planOf(...steps: readonly Step[]): Plan {
  return { version: 1, title: 'a plan', component: 'shop', made: '2026-11-20T12:00:00Z', by: 'ann', steps };
}

const thirty = planOf(...Array.from({ length: 30 }, (_one, index) => step(`s${index}`)));

/** A world that loses its power before or after the n-th thing that lasts: from then on nothing is ever answered. */
class World {
  /** Effects in the order in which they came and went. */
  readonly effects: string[] = [];
  readonly entries: Entry[] = [];
  readonly signal: AbortSignal;
  /** Steps that fail. */
  broken = new Set<string>();
  #left = Infinity;
  #when: 'before' | 'after' = 'before';
  #dark = Promise.withResolvers<'dark'>();

  constructor(signal = new AbortController().signal) {
    this.signal = signal;
  }

  async lasting(act: () => void): Promise<void> {
    this.#left -= 1;
    if (this.#left < 0 || (this.#left === 0 && this.#when === 'before')) return await this.#darkness();
    act();
    if (this.#left === 0) return await this.#darkness();
  }

  #darkness(): Promise<never> {
    this.#left = -1;
    this.#dark.resolve('dark');
    return Promise.withResolvers<never>().promise;
  }

  async untilDark<T>(at: number, when: 'before' | 'after', run: () => Promise<T>): Promise<T | 'dark'> {
    [this.#left, this.#when, this.#dark] = [at, when, Promise.withResolvers()];
    const result = await Promise.race([run(), this.#dark.promise]);
    this.#left = Infinity;
    return result;
  }

  present(key: string): boolean {
    return this.effects.findLast((one) => one.endsWith(` ${key}`)) === `do ${key}`;
  }

  readonly kinds: StepKinds = {
    effect: {
      isDone: async ({ step: { key } }) => (this.present(key) ? 'done' : 'not done'),
      run: async ({ step: { key } }) => {
        if (this.broken.has(key)) throw new HoldfastError('refused', `${key} is broken`);
        await this.lasting(() => this.effects.push(`do ${key}`));
      },
      undo: async ({ step: { key } }) => {
        if (this.broken.has(`undo ${key}`))
          throw new HoldfastError('refused', `${key} can’t be undone`, { next: 'Make room. Nothing was changed.' });
        if (this.present(key)) await this.lasting(() => this.effects.push(`undo ${key}`));
      },
      confirm: async ({ step: { key } }) => {
        if (!this.effects.includes(`confirm ${key}`)) await this.lasting(() => this.effects.push(`confirm ${key}`));
      },
    },
  };

  surroundings(more: Partial<Surroundings> = {}): Surroundings {
    return {
      journal: {
        entries: async () => [...this.entries],
        append: async (entry) => await this.lasting(() => this.entries.push(entry)),
      },
      kinds: this.kinds,
      clock: new ManualClock(),
      signal: this.signal,
      onEntry: () => undefined,
      ...more,
    };
  }
}

/** Loses the power before and after everything that lasts, one trial each, and goes on; resolves with how many trials. */
async function everyPowerCut(
  make: () => World,
  run: (world: World) => Promise<Standing>,
  judge: (world: World, standing: Standing, where: string) => void,
): Promise<number> {
  for (let at = 1; ; at += 1) {
    for (const when of ['before', 'after'] as const) {
      const world = make();
      const first = await world.untilDark(at, when, async () => await run(world));
      const standing = first === 'dark' ? await run(world) : first;
      judge(world, standing, `dark ${when} the ${at}th`);
      if (first !== 'dark') return at - 1;
    }
  }
}

const unknown = async (): Promise<'unknown'> => 'unknown';
const all = (word: string): readonly string[] => thirty.steps.map(({ key }) => `${word} ${key}`);

test('power lost at every boundary and in every step of a plan of 30: resumed, each effect once', async () => {
  const trials = await everyPowerCut(
    () => new World(),
    async (world) => await execute(thirty, world.surroundings()),
    ({ effects }, { phase }, where) => {
      assert.equal(phase, 'finished', where);
      assert.deepEqual(effects, all('do'), where);
    },
  );
  // Each step begins, has its effect and is done; then the plan is finished.
  assert.equal(trials, 30 * 3 + 1);
});

test('power lost anywhere in a plan whose 20th step fails: each effect is undone once, in reverse order', async () => {
  const done = all('do').slice(0, 19);
  const undone = all('undo').slice(0, 19).toReversed();
  await everyPowerCut(
    () => Object.assign(new World(), { broken: new Set(['s19']) }),
    async (world) => await execute(thirty, world.surroundings()),
    ({ effects }, { phase, reason }, where) => {
      assert.equal(phase, 'undone', where);
      assert.equal(reason, 's19 is broken', where);
      assert.deepEqual(effects, [...done, ...undone], where);
    },
  );
});

test('power lost anywhere in an undo or a confirmation of a plan that succeeded: each effect once', async () => {
  const before = new World();
  await execute(thirty, before.surroundings());
  for (const [run, word, phase] of [
    [undo, 'undo', 'undone'],
    [confirm, 'confirm', 'confirmed'],
  ] as const) {
    const order = word === 'undo' ? all(word).toReversed() : all(word);
    await everyPowerCut(
      () => {
        const world = new World();
        world.entries.push(...before.entries);
        world.effects.push(...before.effects);
        return world;
      },
      async (world) => await run(thirty, world.surroundings(), 'ann'),
      ({ effects }, standing, where) => {
        assert.equal(standing.phase, phase, where);
        assert.deepEqual(effects, [...all('do'), ...order], where);
      },
    );
  }
});

test('what was so before is neither done nor undone', async () => {
  const world = new World();
  world.effects.push('do b');
  const plan = planOf(step('a'), step('b'), step('c'));
  assert.equal((await execute(plan, world.surroundings())).phase, 'finished');
  await undo(plan, world.surroundings(), 'ann');
  assert.deepEqual(world.effects, ['do b', 'do a', 'do c', 'undo c', 'undo a']);
});

test('what can not be undone holds up the rest, but what must be undone in any case', async () => {
  const world = new World();
  world.broken = new Set(['d', 'undo c']);
  const plan = planOf(step('stop', { undo: 'in any case' }), step('b'), step('c'), step('d'));
  assert.equal((await execute(plan, world.surroundings())).phase, 'undone in part');
  const said = world.entries.find(({ what }) => what === 'not undone')?.reason;
  assert.match(said ?? '', /can’t be undone\. Make room\.$/, 'it says what to do');
  assert.deepEqual(world.effects, ['do stop', 'do b', 'do c', 'undo stop']);
  world.broken.clear();
  assert.equal((await undo(plan, world.surroundings(), 'ann')).phase, 'undone');
  assert.deepEqual(world.effects, ['do stop', 'do b', 'do c', 'undo stop', 'undo c', 'undo b']);
});

test('a step is tried again as often as it may, its attempts counted and its duration measured', async () => {
  const world = new World();
  const clock = new ManualClock({ leaping: true });
  let failures = 2;
  const slow = {
    isDone: unknown,
    run: async () => {
      await clock.sleep(300);
      failures -= 1;
      if (failures >= 0) throw new HoldfastError('refused', 'not yet');
    },
  };
  const plan = planOf(step('a', { kind: 'slow', undo: 'no', retry: { attempts: 3, pauseMs: 10 } }));
  const { steps, phase } = await execute(plan, world.surroundings({ clock, kinds: { slow } }));
  assert.equal(phase, 'finished');
  assert.equal(steps.get('a')?.attempts, 3);
  assert.equal(steps.get('a')?.ms, 300);
});

test('a step that takes too long fails, and what was done before it is undone', async () => {
  const world = new World();
  const clock = new ManualClock({ leaping: true });
  const stuck = {
    isDone: async (): Promise<'not done'> => 'not done',
    run: async ({ signal }: { readonly signal: AbortSignal }) => await clock.sleep(1e9, signal),
  };
  const plan = planOf(step('a'), step('b', { kind: 'stuck', undo: 'no' }));
  const { phase, reason } = await execute(plan, world.surroundings({ clock, kinds: { ...world.kinds, stuck } }));
  assert.equal(phase, 'undone');
  assert.match(reason, /b took longer than 1000 ms/);
  assert.deepEqual(world.effects, ['do a', 'undo a']);
});

test('a plan that is cancelled is turned back', async () => {
  const controller = new AbortController();
  const world = new World(controller.signal);
  const onEntry = ({ what, step: key }: Entry): void => {
    if (what === 'began' && key === 's3') controller.abort(new HoldfastError('interrupted', 'stopped by SIGINT'));
  };
  const { phase, reason } = await execute(thirty, world.surroundings({ onEntry }));
  assert.equal(phase, 'undone');
  assert.equal(reason, 'stopped by SIGINT');
  for (const { key } of thirty.steps) assert.ok(!world.present(key));
});

test('a step that wants approval waits for somebody other than who made the plan; one by hand for its tick', async () => {
  const world = new World();
  const plan = planOf(step('a', { approval: 'another person' }), step('b', { manual: 'call the customer' }));
  const run = async (): Promise<Standing> => await execute(plan, world.surroundings());
  const approved = (by: string): void => void world.entries.push({ what: 'approved', by, timeNs: 1n });
  await assert.rejects(run, { code: 'approval-needed', exitCode: 6, message: /another person/ });
  approved('ann');
  await assert.rejects(run, { code: 'approval-needed' });
  approved('bob');
  await assert.rejects(run, { code: 'approval-needed', message: /call the customer/ });
  assert.deepEqual(world.effects, ['do a']);
  world.entries.push({ what: 'ticked', step: 'b', by: 'bob', timeNs: 2n });
  const { phase, steps } = await run();
  assert.equal(phase, 'finished');
  assert.deepEqual(steps.get('b')?.tick, { by: 'bob', timeNs: 2n });
});

test('a defect of ours turns the plan back and is thrown once all is undone', async () => {
  const world = new World();
  const run = async (): Promise<never> => await Promise.reject(new TypeError('oops'));
  const defective = { isDone: unknown, run };
  const plan = planOf(step('a'), step('b', { kind: 'defective', undo: 'no' }));
  const kinds = { ...world.kinds, defective };
  await assert.rejects(execute(plan, world.surroundings({ kinds })), TypeError);
  assert.deepEqual(world.effects, ['do a', 'undo a']);
});

test('a plan with a step of a kind that nobody knows, or that can not be undone as it says, does not begin', async () => {
  const world = new World();
  await assert.rejects(execute(planOf(step('a', { kind: 'dance' })), world.surroundings()), { code: 'unsupported' });
  const once = { isDone: unknown, run: async () => undefined };
  await assert.rejects(execute(planOf(step('a', { kind: 'once' })), world.surroundings({ kinds: { once } })), {
    code: 'unsupported',
  });
  assert.deepEqual(world.entries, []);
});

test('a plan’s identity is its content, whatever the order of members', () => {
  const [first] = thirty.steps;
  assert.ok(first !== undefined);
  const turned = { ...thirty, steps: [{ ...first, arguments: { b: 1, a: 2 } }] };
  const same = { ...thirty, steps: [{ ...first, arguments: { a: 2, b: 1 } }] };
  assert.equal(hashOfPlan(turned), hashOfPlan(same));
  assert.notEqual(hashOfPlan(turned), hashOfPlan({ ...same, by: 'bob' }));
});

const past = planOf(step('before'), step('over', { undo: 'impossible' }), step('after'));

test('what fails behind a step that nothing takes back is thrown, undoes nothing, and is gone on with; then all is confirmed', async () => {
  const world = new World();
  world.broken.add('after');
  await assert.rejects(execute(past, world.surroundings()), /after is broken/);
  assert.deepEqual(world.effects, ['do before', 'do over']);
  assert.equal(world.entries.at(-1)?.what, 'failed');
  world.broken.clear();
  const { phase } = await execute(past, world.surroundings());
  assert.equal(phase, 'confirmed');
  assert.deepEqual(world.effects.slice(2), ['do after', 'confirm before', 'confirm over', 'confirm after']);
  await assert.rejects(undo(past, world.surroundings(), 'ann'), /was confirmed/);
});

test('a plan behind what nothing takes back is given up, which undoes nothing; before it, it is turned back', async () => {
  const world = new World();
  world.broken.add('after');
  await assert.rejects(execute(past, world.surroundings()), /after is broken/);
  assert.equal((await undo(past, world.surroundings(), 'ann')).phase, 'given up');
  assert.equal((await execute(past, world.surroundings())).phase, 'given up');
  assert.deepEqual(world.effects, ['do before', 'do over']);
  const other = new World();
  other.broken.add('before');
  assert.equal((await execute(past, other.surroundings())).phase, 'undone');
});

test('a step that nothing takes back, and that failed before it changed anything, turns its plan back; interrupted so, an undo does', async () => {
  for (const isPast of [false, true]) {
    const world = new World();
    const run = async (): Promise<never> => await Promise.reject(new HoldfastError('refused', 'no such backup'));
    const over = { isDone: unknown, run, isPastReturn: async () => isPast };
    const inWorld = (one: World): Surroundings => one.surroundings({ kinds: { ...one.kinds, over } });
    const plan = planOf(step('before'), step('over', { kind: 'over', undo: 'impossible' }), step('after'));
    const executed = execute(plan, inWorld(world));
    if (isPast) await assert.rejects(executed, /no such backup/);
    else assert.equal((await executed).phase, 'undone');
    const end = world.entries.findIndex(({ what }) => what === 'failed');
    const killed = new World();
    killed.effects.push('do before');
    killed.entries.push(...world.entries.slice(0, end));
    const { phase } = await undo(plan, inWorld(killed), 'ann');
    assert.equal(phase, isPast ? 'given up' : 'undone');
    assert.deepEqual(killed.effects, isPast ? ['do before'] : ['do before', 'undo before']);
  }
});

const stopped = planOf(step('stop', { undo: 'in any case' }), step('middle'), step('over', { undo: 'impossible' }));

/** A world that can go out of sight, as a disk does: by itself, once an effect was had. */
class Seen extends World {
  isAway = false;
  awayAt = '';

  override surroundings(): Surroundings {
    const { effect = assert.fail() } = this.kinds;
    const leaving = (act: 'run' | 'undo') => async (call: StepCall) => {
      if (this.awayAt === `${act} ${call.step.key}`) this.isAway = true;
      if (this.isAway) throw new HoldfastError('refused', 'nothing is there');
      await effect[act]?.(call);
    };
    const assertThere = (): void => {
      if (this.isAway) throw new HoldfastError('refused', 'it is away');
    };
    const isPastReturn = async (): Promise<boolean> => !this.isAway;
    const seen = { ...effect, run: leaving('run'), undo: leaving('undo'), assertThere, isPastReturn };
    return super.surroundings({ kinds: { effect: seen } });
  }
}

test('a plan stays where it is while what it works on can’t be seen, whatever is asked of it, and goes on once it is there', async () => {
  for (const key of ['stop', 'middle', 'over']) {
    const world = new Seen();
    world.awayAt = `run ${key}`;
    await assert.rejects(execute(stopped, world.surroundings()), /it is away/);
    const [effects, entries] = [[...world.effects], [...world.entries]];
    await assert.rejects(execute(stopped, world.surroundings()), /it is away/);
    await assert.rejects(undo(stopped, world.surroundings(), 'ann'), /it is away/);
    assert.deepEqual([world.effects, world.entries], [effects, entries], key);
    [world.isAway, world.awayAt] = [false, ''];
    assert.equal((await execute(stopped, world.surroundings())).phase, 'confirmed');
    assert.deepEqual(world.effects.slice(0, 3), ['do stop', 'do middle', 'do over']);
  }
});

test('what is out of sight while a plan is turned back is not begun with, nor what must be undone in any case, and goes on once it is there', async () => {
  const plan = planOf(step('stop', { undo: 'in any case' }), step('middle'), step('after'), step('broken'));
  for (const key of ['after', 'middle', 'stop']) {
    const world = new Seen();
    world.broken.add('broken');
    world.awayAt = `undo ${key}`;
    await assert.rejects(execute(plan, world.surroundings()), /it is away/);
    assert.ok(!world.effects.includes('undo stop'), key);
    await assert.rejects(undo(plan, world.surroundings(), 'ann'), /it is away/);
    [world.isAway, world.awayAt] = [false, ''];
    assert.equal((await execute(plan, world.surroundings())).phase, 'undone');
    assert.deepEqual(world.effects.slice(3), ['undo after', 'undo middle', 'undo stop']);
    world.isAway = true;
    assert.equal((await undo(plan, world.surroundings(), 'ann')).phase, 'undone', 'nothing is left to do there');
  }
});
