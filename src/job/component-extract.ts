import { rawPathOf, type RawPath } from '../bytes/ids.ts';
import { HoldfastError } from '../errors/error.ts';
import type { RecoverablePoint, StoredCopy } from '../point/point.ts';
import { openSandbox } from '../sandbox/sandbox.ts';
import { selectAll, type Select } from '../snapshot/restore.ts';
import type { Extraction, LoadedParts, PreparedParts, WantedParts } from '../source/extraction.ts';
import type { Replay } from '../source/recovery.ts';
import type { OpenedSource } from '../source/source.ts';
import { recorded, type ComponentContext } from './component.ts';
import { pointWanted, restorePoint, type ComponentRestoreOptions } from './component-restore.ts';
import type { ExpectedRestore } from './expected.ts';
import { findMoment, replayOf, type MomentWanted, type PlannedMoment } from './find-moment.ts';
import { assertFree, ofScratch } from './free-space.ts';
import { openSource } from './open-source.ts';
import { hiddenOf } from './verify/hidden.ts';
import { limitsOf } from './verify/limits.ts';
import { scratchBelow, type Scratch } from './verify/scratch.ts';

export interface ComponentExtractOptions extends Pick<
  ComponentRestoreOptions,
  'component' | 'atNs' | 'method' | 'onCopy'
> {
  /** A moment of the log; undefined: where the newest backup, of `atNs` or before, ended. */
  readonly moment: Omit<MomentWanted, 'component'> | undefined;
  readonly wanted: WantedParts;
  /** A folder of ours alone, below which the whole component is restored, and removed again. */
  readonly scratch: string;
  /** What no command in a sandbox is to see, beside what the policy names. */
  readonly hidden: readonly string[];
  /** Told before anything is fetched. */
  readonly onPlan: (plan: ExtractPlan) => void;
  /** Told once it is known what comes, before anything is touched. */
  readonly onPrepared: (prepared: PreparedParts) => void;
}

export interface ExtractPlan {
  readonly point: RecoverablePoint;
  readonly moment: PlannedMoment | undefined;
  readonly expected: readonly ExpectedRestore[];
  /** Undefined: it was served by no log of then, as it is where there is none. */
  readonly served: 'as asked' | 'a snapshot';
}

export interface ComponentExtractOutcome {
  readonly prepared: PreparedParts;
  /** Undefined in a dry run, which goes as far as the sandbox: what the parts are is known there alone. */
  readonly loaded: LoadedParts | undefined;
  readonly seconds: { readonly fetch: number; readonly start: number; readonly load: number };
}

/**
 * Takes parts of a component out of one of its moments, into a live system, beside what runs there. The whole of it is
 * restored and brought up in a sandbox; the live system is asked before that, and touched last of all.
 */
export async function extractFromComponent(
  context: ComponentContext,
  options: ComponentExtractOptions,
): Promise<ComponentExtractOutcome> {
  if (extractionOf(context, options.component, options.method) === undefined) throw unsupported(options);
  await using closing = new AsyncDisposableStack();
  const source = await sourceOf(context, options, closing);
  const extraction = extractionOf(context, options.component, methodOf(source.plan.point));
  if (extraction === undefined) throw unsupported(options);
  options.onPlan(source.plan);
  const about = { kind: 'restore', component: options.component } as const;
  const run = async (): Promise<ComponentExtractOutcome> => await extract(context, options, { extraction, ...source });
  return await recorded(context, about, run, (outcome) => dataOf(options, source, outcome));
}

interface Source {
  readonly plan: ExtractPlan;
  readonly replay: Omit<Replay, 'folder'> | undefined;
}

async function sourceOf(
  context: ComponentContext,
  options: ComponentExtractOptions,
  closing: AsyncDisposableStack,
): Promise<Source> {
  const { component, atNs, method } = options;
  const moment = momentOf(context, options);
  const found = moment && (await findMoment(context, { ...moment, component }, closing));
  if (found !== undefined && found !== 'snapshots alone' && moment !== undefined) {
    const { planned } = found;
    const plan = { point: planned.plan.base, moment: planned, expected: planned.expected, served: 'as asked' } as const;
    return { plan, replay: replayOf(context, moment, found) };
  }
  const suits = (point: RecoverablePoint): boolean => extractionOf(context, component, methodOf(point)) !== undefined;
  const wanted = { component, method, suits, ...(atNs === undefined ? {} : { atNs }) };
  const served = found === undefined ? 'as asked' : 'a snapshot';
  return { plan: { ...(await pointWanted(context, wanted)), moment: undefined, served }, replay: undefined };
}

/** Undefined also where points of this method are followed by no log, and a time alone was asked for. */
function momentOf(
  context: ComponentContext,
  { component, method, moment }: ComponentExtractOptions,
): ComponentExtractOptions['moment'] {
  if (moment === undefined || openedBy(context, component, method).recovery !== undefined) return moment;
  if (moment.otherwise === 'a snapshot') return undefined;
  throw new HoldfastError(
    'unsupported',
    `${component}, by the method ${method}: a log brings none of its points to a moment`,
    { next: 'Say --at TIME for the newest point of then or before, or leave --method out. Nothing was changed.' },
  );
}

/** That of the kind where the point doesn't say. */
function methodOf({ method }: RecoverablePoint): string | undefined {
  return method === '' ? undefined : method;
}

function extractionOf(context: ComponentContext, name: string, method: string | undefined): Extraction | undefined {
  return openedBy(context, name, method).extraction;
}

function openedBy(context: ComponentContext, name: string, method: string | undefined): OpenedSource {
  const { [name]: component } = context.policy.components;
  if (component === undefined) throw new HoldfastError('usage', `there is no component ${name}`);
  return openSource(context, name, component, method);
}

function unsupported({ component, method }: ComponentExtractOptions): HoldfastError {
  const which = method === undefined ? component : `${component}, by the method ${method}`;
  return new HoldfastError('unsupported', `${which}: no table or schema can be taken out of its points`, {
    next: 'Restore it as a whole beside what runs, by --target or --into, and take the part from there. Nothing was changed.',
  });
}

interface Extracting extends Source {
  readonly extraction: Extraction;
}

async function extract(
  context: ComponentContext,
  options: ComponentExtractOptions,
  { extraction, plan, replay }: Extracting,
): Promise<ComponentExtractOutcome> {
  const { wanted } = options;
  await using scratch = await scratchBelow(options.scratch);
  const restored = `${scratch.path}/restored`;
  const begunMs = context.clock.monotonicMs();
  await fetch(context, options, plan.point, { to: restored, select: only(rawPathOf(`/${extraction.description}`)) });
  const { bytes } = await extraction.judge(restored, wanted, context);
  await assertFree(scratch.path, (plan.point.sizeBytes ?? 0) + (plan.moment?.logBytes ?? 0) + bytes);
  await fetch(context, options, plan.point, { to: restored, select: selectAll });
  const fetchedMs = context.clock.monotonicMs();
  await using sandbox = await sandboxAt(context, options, { extraction, scratch, restored });
  const prepared = await extraction.prepare({ sandbox, restored, replay }, wanted, context);
  options.onPrepared(prepared);
  const preparedMs = context.clock.monotonicMs();
  const loaded = context.mode === 'dry-run' ? undefined : await prepared.load(context);
  const spans = [begunMs, fetchedMs, preparedMs, context.clock.monotonicMs()];
  const [fetching = 0, start = 0, load = 0] = spans.slice(1).map((ms, at) => (ms - (spans[at] ?? ms)) / 1000);
  return { prepared, loaded, seconds: { fetch: fetching, start, load } };
}

async function fetch(
  context: ComponentContext,
  { component, onCopy }: ComponentExtractOptions,
  point: RecoverablePoint,
  { to, select }: { readonly to: string; readonly select: Select },
): Promise<StoredCopy> {
  const target = rawPathOf(to);
  const restore = { ...writing, select };
  const { copy, failures } = await restorePoint(context, point, {
    component,
    target,
    restore,
    onCopy,
    ready: undefined,
  }).catch((error: unknown) => {
    throw ofScratch(error);
  });
  if (failures === 0) return copy;
  throw new HoldfastError('damaged', `${component} could not be fetched whole: ${failures} items, told above`);
}

async function sandboxAt(
  context: ComponentContext,
  { component: name, hidden }: ComponentExtractOptions,
  {
    extraction,
    scratch,
    restored,
  }: { readonly extraction: Extraction; readonly scratch: Scratch; readonly restored: string },
): Promise<AsyncDisposable & Awaited<ReturnType<typeof openSandbox>>> {
  const { policy, clock, signal } = context;
  const { [name]: component } = policy.components;
  const paths: readonly RawPath[] = component === undefined ? [] : openSource(context, name, component).paths;
  return await openSandbox({
    folder: restored,
    hidden: [...hidden, ...hiddenOf(policy, paths)],
    visible: await extraction.programs(restored, signal),
    limits: await limitsOf(policy.sandbox, scratch.path),
    clock,
    signal,
  });
}

function dataOf(
  { moment, wanted, method }: ComponentExtractOptions,
  { plan }: Source,
  { prepared, loaded, seconds }: ComponentExtractOutcome,
): Readonly<Record<string, unknown>> {
  const tables = loaded?.tables ?? [];
  return {
    outcome: 'done',
    point: plan.point.identity,
    target: prepared.target,
    ...(moment === undefined ? {} : { moment: moment.moment.kind }),
    ...(method === undefined ? {} : { method }),
    parts: wanted.parts.slice(0, 100),
    tables: tables.length,
    rows: tables.reduce((sum, { loadedRows, rows }) => sum + (loadedRows ?? rows), 0),
    leftOut: [...prepared.leftOut, ...(loaded?.leftOut ?? [])].slice(0, 100),
    failures: tables.filter(({ rows, loadedRows }) => loadedRows !== undefined && rows !== loadedRows).length,
    seconds,
  };
}

const writing = {
  overwrite: 'always',
  extras: 'keep',
  mode: 'write',
  holes: 'sparse',
  verify: 'no',
  selectXattr: 'all',
} as const;

/** A file, and the folders on the way to it. */
function only(path: RawPath): Select {
  return (location) => ({
    selected: location === path,
    childrenMayBe: path.startsWith(location === '/' ? '/' : `${location}/`),
  });
}
