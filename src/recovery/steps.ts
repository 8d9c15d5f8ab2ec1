import { existsSync } from 'node:fs';
import { dirname } from 'node:path';
import { HoldfastError } from '../errors/error.ts';
import { isMountPoint, mountPointsBelow } from '../host/mount-point.ts';
import { hostName } from '../host/users.ts';
import type { ComponentContext } from '../job/component.ts';
import type { Plan, Step } from '../plan/plan.ts';
import type { Component } from '../policy/policy.ts';
import { splitWords } from '../secret/words.ts';

/** How a path is replaced: a mount point can't be renamed, what it holds can. */
export const switches = { whole: 'switch', contents: 'switch-contents' } as const;

export interface LivePath {
  readonly path: string;
  readonly replace: keyof typeof switches;
}

export function livePath(path: string): LivePath {
  if (path === '/') throw new HoldfastError('unsupported', '/ can’t be replaced while this system runs on it');
  if (!existsSync(dirname(path))) throw new HoldfastError('refused', `${dirname(path)} is not there: make it first`);
  // What is kept is removed when it is confirmed: nothing that is mounted may be moved along with it.
  const [within] = mountPointsBelow(path);
  if (within === undefined) return { path, replace: isMountPoint(path) ? 'contents' : 'whole' };
  throw new HoldfastError('unsupported', `${within}, below ${path}, is a mount point, which can’t be moved along`);
}

/** The folder in which it is replaced: what is put together for it is on the same disk. */
export function folderAround({ path, replace }: LivePath): string {
  return replace === 'contents' ? path : dirname(path);
}

const ordinaryMs = 300_000;
/** A restore ends when it ends. */
const longestMs = 7 * 86_400_000;

/** Kinds of steps that move all there is. */
const lasting: ReadonlySet<string> = new Set([
  'restore',
  'restore-moment',
  'rescue-log',
  'replay',
  'moment-reachable',
  'restore-over',
  'replay-over',
  'take-over',
  'switch',
  'switch-contents',
  'safety-backup',
]);

export function step(key: string, kind: string, given: Step['arguments'], undo: Step['undo'] = 'in order'): Step {
  return {
    key,
    kind,
    where: hostName(),
    arguments: given,
    undo,
    timeoutMs: lasting.has(kind) ? longestMs : ordinaryMs,
    retry: { attempts: 1, pauseMs: 1000 },
    approval: 'none',
    manual: '',
  };
}

/** The step that stops ('no') or starts ('yes') what uses the files; none where the policy names nothing. */
export function around({ restore }: Component, wanted: 'yes' | 'no'): readonly Step[] {
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

export function health({ restore }: Component): readonly Step[] {
  if (restore?.health === undefined) return [];
  const timeoutMs = Math.min(restore.within?.ms ?? ordinaryMs, longestMs);
  return [{ ...step('health', 'http-health', { url: restore.health }, 'no'), timeoutMs }];
}

interface Planned {
  readonly name: string;
  readonly component: Component;
  readonly title: string;
  readonly by: string;
  readonly steps: readonly Step[];
}

/** As a whole; its first step waits for whoever has to approve. */
export function planOf(
  { clock }: Pick<ComponentContext, 'clock'>,
  { name, component, title, by, steps }: Planned,
): Plan {
  const approval = component.restore?.approval === undefined ? 'none' : 'another person';
  return {
    version: 1,
    title,
    component: name,
    made: Temporal.Instant.fromEpochNanoseconds(clock.nowNs()).toString(),
    by,
    steps: steps.map((one, index) => (index === 0 ? { ...one, approval } : one)),
  };
}
