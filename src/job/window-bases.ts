import type { FileId } from '../bytes/ids.ts';
import { HoldfastError } from '../errors/error.ts';
import { openLog } from '../log/store.ts';
import { neededBases, type Window } from '../log/window.ts';
import { pointsOf, type RecoverablePoint } from '../point/point.ts';
import type { Component } from '../policy/policy.ts';
import type { Repository } from '../repository/repository.ts';
import { listSnapshots } from '../snapshot/snapshots.ts';
import type { ComponentContext, RuleOf } from './component.ts';
import { basesOf, standingOf, streamFacts, windowAt } from './window-facts.ts';

interface Asked {
  readonly of: Pick<RuleOf, 'name' | 'component'>;
  /** The repository that snapshots are to go from. */
  readonly repository: string;
  /** A time that has come for certain; undefined where nobody knows one. */
  readonly nowNs: bigint | undefined;
  /** Identities of what was found wrong there: no window rests on it where a sound one leads to the same moments. */
  readonly bad: ReadonlySet<string>;
}

/**
 * Which snapshots in a repository the windows of their component's log need there, each with the reason: the window of a
 * log in the same place, and that of one in a place which gets no such backups. Where it can't be known, all of them.
 */
export async function basesForWindows(
  context: ComponentContext,
  { of, repository, nowNs, bad }: Asked,
  opened: Repository,
): Promise<ReadonlyMap<FileId, string>> {
  const served = windowsServed(of.component, repository);
  if (served.length === 0) return new Map();
  const points = (await pointsIn(opened, repository, of.name)).filter(({ log }) => log !== undefined);
  if (points.length === 0) return new Map();
  const kept = new Map<FileId, string>();
  const keep = (some: Iterable<RecoverablePoint>, reason: string): void => {
    for (const { copies } of some)
      for (const copy of copies) if (copy.held === 'repository') kept.set(copy.snapshot.id, reason);
  };
  if (nowNs === undefined) keep(points, `needed by the log’s window, as far as is known: the time isn’t sure`);
  else
    for (const { place, ms, text } of served) {
      const window = windowAt(nowNs, ms);
      try {
        const needed = await neededFor(context, { component: of.name, place, points, window, bad }, opened, repository);
        keep(needed, `needed by the log’s window of ${text}${place === repository ? '' : ` in ${place}`}`);
      } catch (error) {
        if (!(error instanceof HoldfastError) || place === repository || context.signal.aborted) throw error;
        const message = `all backups stay that its log in ${place} may need: ${error.message}`;
        context.listener({ kind: 'warning', during: 'forget', item: of.name, message });
        keep(points, `needed by the log’s window, as far as is known: ${place} can’t be asked`);
      }
    }
  return kept;
}

interface Served {
  readonly place: string;
  readonly ms: number;
  readonly text: string;
}

/** A place that gets these backups by the same rule has its own. */
function windowsServed({ log, backups }: Component, repository: string): readonly Served[] {
  const hasOwn = (place: string): boolean =>
    Object.values(backups).some(({ to }) => Object.hasOwn(to, place) && Object.hasOwn(to, repository));
  return Object.entries(log?.to ?? {}).flatMap(
    ([
      place,
      {
        window: { ms, text },
      },
    ]) => (place === repository || !hasOwn(place) ? [{ place, ms, text }] : []),
  );
}

async function pointsIn(opened: Repository, repository: string, name: string): Promise<readonly RecoverablePoint[]> {
  const listed = await listSnapshots(opened, { hosts: [], paths: [], tagLists: [[`hf.component=${name}`]] });
  const snapshots = listed.map((one) => {
    if (one.kind === 'failed') throw one.error;
    return one.snapshot;
  });
  return pointsOf([{ repository, snapshots }], () => ({ state: 'stored' }));
}

interface Needed {
  readonly component: string;
  readonly place: string;
  readonly points: readonly RecoverablePoint[];
  readonly window: Window;
  readonly bad: Asked['bad'];
}

async function neededFor(
  context: ComponentContext,
  { component, place, points, window, bad }: Needed,
  opened: Repository,
  repository: string,
): Promise<readonly RecoverablePoint[]> {
  await using other = place === repository ? undefined : await context.access(place).open();
  const found: RecoverablePoint[] = [];
  for (const stream of new Set(points.flatMap(({ log }) => log?.stream ?? []))) {
    const bases = basesOf(points, stream);
    const store = openLog(other ?? opened, { component, stream });
    const facts = await streamFacts(store, bases, standingOf(points, stream));
    const needed = neededBases(facts, bases, window, (base) => !bad.has(base.point.identity));
    for (const { point } of needed) found.push(point);
  }
  return found;
}
