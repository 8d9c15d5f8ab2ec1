import { secondText } from '../clock/date.ts';
import { existsSync } from 'node:fs';
import { dirname } from 'node:path';
import { displayPath } from '../bytes/ids.ts';
import { HoldfastError } from '../errors/error.ts';
import { isMountPoint, mountPointsBelow } from '../host/mount-point.ts';
import { hostName } from '../host/users.ts';
import { openSource } from '../job/open-source.ts';
import { pointWanted } from '../job/component-restore.ts';
import type { ExpectedRestore } from '../job/expected.ts';
import type { ComponentContext } from '../job/component.ts';
import type { Plan, Step } from '../plan/plan.ts';
import type { Component } from '../policy/policy.ts';
import { assertNothingKeptBelow, plansIn } from './kept-below.ts';
import { splitWords } from '../secret/words.ts';

export interface InPlaceOptions {
  readonly component: string;
  /** The newest point of then or before; the newest of all without it. */
  readonly atNs?: bigint;
  readonly safety: 'backup first' | 'none';
  /** Who asks for it. */
  readonly by: string;
}

export interface PlannedInPlace {
  readonly plan: Plan;
  /** What bringing the point back takes, from each copy in a restore's order. It is no part of the plan. */
  readonly expected: readonly ExpectedRestore[];
}

/**
 * The plan that puts a component back in its place. All is restored beside it while the live system still runs; then it
 * is stopped, backed up, replaced, started and asked how it is. What is replaced is kept until the plan is confirmed.
 */
export async function planInPlace(context: ComponentContext, options: InPlaceOptions): Promise<PlannedInPlace> {
  const { component: name, safety, by } = options;
  const { [name]: component } = context.policy.components;
  if (component === undefined) throw new HoldfastError('usage', `the policy has no component ${name}`);
  const paths = livePaths(context, name, component);
  for (const { path } of paths) await assertNothingKeptBelow(plansIn(context.stateFolder), path);
  const { point, expected } = await pointWanted(context, options);
  const { identity, timeNs } = point;
  const targets = paths.map(({ path, replace }, slot) => ({ path, slot, replace }));
  const at = secondText(timeNs);
  const steps = [
    ...targets.map((target) =>
      step(`restore-${target.slot}`, 'restore', { ...target, component: name, point: identity }),
    ),
    ...around(component, 'no'),
    ...(safety === 'none' ? [] : [step('safety', 'safety-backup', { component: name }, 'no')]),
    ...targets.map((target) => step(`switch-${target.slot}`, switches[target.replace], target)),
    ...around(component, 'yes'),
    ...health(component),
  ];
  const approval = component.restore?.approval === undefined ? 'none' : 'another person';
  const plan: Plan = {
    version: 1,
    title: `${name} in place as of ${at}`,
    component: name,
    made: Temporal.Instant.fromEpochNanoseconds(context.clock.nowNs()).toString(),
    by,
    steps: steps.map((one, index) => (index === 0 ? { ...one, approval } : one)),
  };
  return { plan, expected };
}

/** How a path is replaced: a mount point can't be renamed, what it holds can. */
const switches = { whole: 'switch', contents: 'switch-contents' } as const;

interface LivePath {
  readonly path: string;
  readonly replace: keyof typeof switches;
}

function livePaths(context: ComponentContext, name: string, component: Component): readonly LivePath[] {
  const { inPlace, excludes } = openSource(context, name, component);
  if (inPlace === undefined)
    throw new HoldfastError('unsupported', `${name} can’t be restored in place by this version; --target works`);
  const message = `what its backups leave out (${excludes.join(', ')}) is not brought back: it stays with what is kept`;
  if (excludes.length > 0) context.listener({ kind: 'warning', during: 'plan', item: name, message });
  const all = inPlace.map(displayPath);
  // What lies inside another comes back with it.
  return all.filter((path) => !all.some((other) => path.startsWith(`${other}/`))).map(livePath);
}

function livePath(path: string): LivePath {
  if (path === '/') throw new HoldfastError('unsupported', '/ can’t be replaced while this system runs on it');
  if (!existsSync(dirname(path))) throw new HoldfastError('refused', `${dirname(path)} is not there: make it first`);
  // What is kept is removed when it is confirmed: nothing that is mounted may be moved along with it.
  const [within] = mountPointsBelow(path);
  if (within === undefined) return { path, replace: isMountPoint(path) ? 'contents' : 'whole' };
  throw new HoldfastError('unsupported', `${within}, below ${path}, is a mount point, which can’t be moved along`);
}

const ordinaryMs = 300_000;
/** A restore ends when it ends. */
const longestMs = 7 * 86_400_000;

function step(key: string, kind: string, given: Step['arguments'], undo: Step['undo'] = 'in order'): Step {
  return {
    key,
    kind,
    where: hostName(),
    arguments: given,
    undo,
    timeoutMs: kind === 'restore' || kind === 'safety-backup' ? longestMs : ordinaryMs,
    retry: { attempts: 1, pauseMs: 1000 },
    approval: 'none',
    manual: '',
  };
}

/** The step that stops ('no') or starts ('yes') what uses the files; none where the policy names nothing. */
function around({ restore }: Component, wanted: 'yes' | 'no'): readonly Step[] {
  const key = wanted === 'yes' ? 'start' : 'stop';
  const undo = wanted === 'yes' ? 'in order' : 'in any case';
  const timeoutMs = Math.min(restore?.within?.ms ?? ordinaryMs, longestMs);
  if (restore?.service !== undefined)
    return [{ ...step(key, 'systemd', { unit: restore.service, wanted }, undo), timeoutMs }];
  if (restore?.stop === undefined || restore.start === undefined) return [];
  const [stop, start] = [splitWords(restore.stop), splitWords(restore.start)];
  const [run, back] = wanted === 'yes' ? [start, stop] : [stop, start];
  const running = restore.running === undefined ? [] : splitWords(restore.running);
  return [{ ...step(key, 'command', { run, undo: back, running, wanted }, undo), timeoutMs }];
}

function health({ restore }: Component): readonly Step[] {
  if (restore?.health === undefined) return [];
  const timeoutMs = Math.min(restore.within?.ms ?? ordinaryMs, longestMs);
  return [{ ...step('health', 'http-health', { url: restore.health }, 'no'), timeoutMs }];
}
