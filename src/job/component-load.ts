import { rawPathOf, type RawPath } from '../bytes/ids.ts';
import { HoldfastError } from '../errors/error.ts';
import type { RecoverablePoint, StoredCopy } from '../point/point.ts';
import { assertFree, ofScratch } from './free-space.ts';
import type { Select } from '../snapshot/restore.ts';
import type { Loaded, Loading, WantedLoad } from '../source/loading.ts';
import { recorded, type ComponentContext } from './component.ts';
import { pointWanted, restorePoint, type ComponentRestoreOptions } from './component-restore.ts';
import { openSource } from './open-source.ts';
import { scratchBelow } from './verify/scratch.ts';

export interface ComponentLoadOptions extends Pick<ComponentRestoreOptions, 'component' | 'atNs' | 'onCopy'> {
  /** How the point was made. */
  readonly method: string;
  readonly wanted: WantedLoad;
  /** A folder of ours alone, below which what is loaded is fetched, and removed again. */
  readonly scratch: string;
}

export interface ComponentLoadOutcome extends Loaded {
  readonly point: RecoverablePoint;
  readonly copy: StoredCopy;
  readonly target: string;
  /** Of what is loaded, as it is stored. */
  readonly bytes: number;
}

/**
 * Loads the newest point of a method into something new on a live system. What it takes is judged by the point's
 * description, before anything large is fetched; a dry run ends there.
 */
export async function loadComponent(
  context: ComponentContext,
  options: ComponentLoadOptions,
): Promise<ComponentLoadOutcome> {
  const about = { kind: 'restore', component: options.component } as const;
  const run = async (): Promise<ComponentLoadOutcome> => await load(context, options);
  return await recorded(context, about, run, ({ point, copy, target, rows }) => ({
    outcome: 'done',
    point: point.identity,
    from: copy.repository,
    target,
    method: options.method,
    afterwards: options.wanted.afterwards,
    tables: Object.keys(rows).length,
    rows: Object.values(rows).reduce((sum, count) => sum + count, 0),
    failures: 0,
  }));
}

async function load(context: ComponentContext, options: ComponentLoadOptions): Promise<ComponentLoadOutcome> {
  const { component, wanted, scratch: folder } = options;
  const loading = loadingOf(context, options);
  const { point } = await pointWanted(context, options);
  await using scratch = await scratchBelow(folder);
  const fetch = async (path: string): Promise<StoredCopy> => {
    const target = rawPathOf(`${scratch.path}/point`);
    const restore = { ...writing, select: only(rawPathOf(`/${path}`)) };
    const { onCopy } = options;
    const ready = async (): Promise<void> => undefined;
    const whole = { component, target, restore, onCopy, ready };
    const { copy, failures } = await restorePoint(context, point, whole).catch((error: unknown) => {
      throw ofScratch(error);
    });
    if (failures === 0) return copy;
    throw new HoldfastError('damaged', `${path} of ${component} could not be fetched whole`);
  };
  const described = await fetch(loading.description);
  const planned = await loading.plan(`${scratch.path}/point`, wanted, context);
  const { target, bytes } = planned;
  await assertFree(scratch.path, bytes);
  if (context.mode === 'dry-run') return { rows: {}, notes: [], point, copy: described, target, bytes };
  const copy = await fetch(planned.needs);
  const loaded = await planned.load(`${scratch.path}/point`, context);
  return { ...loaded, point, copy, target, bytes };
}

function loadingOf(context: ComponentContext, { component: name, method }: ComponentLoadOptions): Loading {
  const { [name]: component } = context.policy.components;
  if (component === undefined) throw new HoldfastError('usage', `there is no component ${name}`);
  const { loading } = openSource(context, name, component, method);
  if (loading !== undefined) return loading;
  throw new HoldfastError('unsupported', `${name}: a point made by the method ${method} can’t be loaded by --into`);
}

const writing = {
  overwrite: 'always',
  extras: 'keep',
  mode: 'write',
  holes: 'dense',
  verify: 'read-back',
  selectXattr: 'all',
} as const;

/** A path, and what is below it. */
function only(path: RawPath): Select {
  return (location) => {
    const isWithin = location === path || location.startsWith(`${path}/`);
    return { selected: isWithin, childrenMayBe: isWithin || path.startsWith(location === '/' ? '/' : `${location}/`) };
  };
}
