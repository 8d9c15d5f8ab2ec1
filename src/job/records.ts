import { join } from 'node:path';
import { displayPath } from '../bytes/ids.ts';
import { hasCode, HoldfastError } from '../errors/error.ts';
import { errorCode, reasonOf } from '../host/system-error.ts';
import { Catalogue, removeCatalogue, type RecordFilter } from '../record/catalogue.ts';
import type { StoredRecord } from '../record/record.ts';
import { refresh } from '../record/refresh.ts';
import { makeCacheFolder } from '../repository/cache-folder.ts';
import type { Repository } from '../repository/repository.ts';
import type { ComponentContext } from './component.ts';
import { answersOf, namesOfKeepers, tellUnreadable, warn } from './record-keepers.ts';
import { trustedSigners } from './introductions.ts';
import type { SignersOf } from './trust.ts';

export interface RecordsRead extends Disposable {
  /** Oldest first. */
  readonly records: Iterable<StoredRecord>;
  /** Of which anything is recorded, in the policy or not. */
  readonly components: readonly string[];
  /** Repositories that could not be asked, chains that end before their end, facts that wait and can't be read: each was told as a warning. */
  readonly missing: number;
}

/** Where the catalogue is; undefined: in memory. */
interface Remembered {
  readonly catalogue: Catalogue;
  readonly path: string | undefined;
  readonly hidden: number;
}

interface Wanted {
  readonly filter: RecordFilter;
  readonly signersOf: SignersOf;
}

/**
 * The records of a policy's repositories, by way of what this host remembers of them; what is new is read first. They
 * are read one by one while they are taken, and the catalogues are open until this is disposed of.
 */
export async function openRecords(context: ComponentContext, filter: RecordFilter): Promise<RecordsRead> {
  using opened = new DisposableStack();
  const names = namesOfKeepers(context.policy);
  const wanted = { filter, signersOf: await trustedSigners(context) };
  const answers = await answersOf(context, names, async (name) => {
    await using repository = await context.access(name).open();
    const remembered = await remember(context, repository, wanted);
    opened.use(remembered.catalogue);
    return remembered;
  });
  const unread = await tellUnreadable(context);
  const catalogues = opened.move();
  return {
    records: merged(answers.map((one) => recordsIn(one, filter))),
    components: [...new Set(answers.flatMap(({ catalogue }) => catalogue.chains().map(({ component }) => component)))],
    missing: unread + names.length - answers.length + answers.reduce((sum, { hidden }) => sum + hidden, 0),
    [Symbol.dispose]: () => catalogues.dispose(),
  };
}

/** A catalogue that knows all; one that is damaged is made anew, and where none can be kept it is kept in memory. */
async function remember(context: ComponentContext, repository: Repository, wanted: Wanted): Promise<Remembered> {
  const path = await pathFor(context, repository);
  try {
    return await upToDate(context, repository, { ...wanted, path });
  } catch (error) {
    if (path === undefined || !hasCode(error, 'damaged', 'refused')) throw error;
    const name = error.code === 'damaged' ? 'catalogue-made-anew' : 'catalogue-not-used';
    context.listener({ kind: 'note', name, data: { path, reason: error.message } });
    if (error.code === 'damaged') removeCatalogue(path);
    return await upToDate(context, repository, { ...wanted, path: error.code === 'damaged' ? path : undefined });
  }
}

async function upToDate(
  context: ComponentContext,
  repository: Repository,
  { path, filter, signersOf }: Wanted & { readonly path: string | undefined },
): Promise<Remembered> {
  using opened = new DisposableStack();
  const catalogue = opened.use(new Catalogue(path));
  const findings = await refresh(catalogue, repository, { components: filter.components, signersOf });
  for (const { name, reason } of findings) warn(context, name, `${reason}; what is recorded from there on isn’t shown`);
  opened.move();
  return { catalogue, path, hidden: findings.length };
}

async function pathFor(context: ComponentContext, { config }: Repository): Promise<string | undefined> {
  const { cacheFolder, clock, listener } = context;
  if (cacheFolder === undefined) return undefined;
  try {
    return join(await makeCacheFolder(displayPath(cacheFolder), config.id, clock), 'records.sqlite');
  } catch (error) {
    if (errorCode(error) === undefined) throw error;
    listener({ kind: 'note', name: 'catalogue-not-used', data: { path: cacheFolder, reason: reasonOf(error) } });
    return undefined;
  }
}

function* recordsIn({ catalogue, path }: Remembered, filter: RecordFilter): Generator<StoredRecord, void, undefined> {
  try {
    yield* catalogue.records(filter);
  } catch (cause) {
    if (path === undefined || !hasCode(cause, 'damaged')) throw cause;
    removeCatalogue(path);
    const next = 'It was removed: run the command again, which reads the repository. Nothing else was changed.';
    throw new HoldfastError('damaged', cause.message, { cause, next });
  }
}

/** Of several in the order of time one. */
function* merged(sources: readonly Iterator<StoredRecord, void>[]): Generator<StoredRecord, void, undefined> {
  const heads = sources.map((source) => ({ source, next: source.next() }));
  for (;;) {
    let first: { readonly source: Iterator<StoredRecord, void>; next: IteratorResult<StoredRecord, void> } | undefined;
    let earliest: StoredRecord | undefined;
    for (const head of heads) {
      if (head.next.done === true || (earliest !== undefined && head.next.value.timeNs >= earliest.timeNs)) continue;
      [first, earliest] = [head, head.next.value];
    }
    if (first === undefined || earliest === undefined) return;
    yield earliest;
    first.next = first.source.next();
  }
}
