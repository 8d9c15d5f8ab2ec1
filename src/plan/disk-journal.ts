import { randomBytes } from 'node:crypto';
import { link, open, readdir, readFile, rename, rm, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import { HoldfastError } from '../errors/error.ts';
import { makeLasting, syncFile, syncFolder } from '../host/lasting.ts';
import { errorCode, reasonOf } from '../host/system-error.ts';
import { decodePlan, encodePlan, hashOfPlan } from './form.ts';
import { decodeEntry, encodeEntry, type Entry, type Journal } from './journal.ts';
import { isOver, Ledger, type Standing } from './standing.ts';
import type { Plan } from './plan.ts';

/** A plan and its journal as they lie on this host, readable by its user alone: `<folder>/<hash>/plan.json`, `000001.json` … */
export interface StoredPlan {
  readonly hash: string;
  readonly plan: Plan;
  readonly journal: Journal;
  readonly standing: Standing;
}

/** Stores a plan before anything of it is done. */
export async function storePlan(folder: string, plan: Plan): Promise<StoredPlan> {
  const hash = hashOfPlan(plan);
  const own = join(folder, hash);
  await lasting(own, async () => {
    await makeLasting(own, 0o700);
    await createWhole(own, 'plan.json', encodePlan(plan));
    await syncFolder(folder);
  });
  return { hash, plan, journal: diskJournal(own), standing: new Ledger(plan, []) };
}

/** Every plan of this host, oldest first; one whose text was not yet there when a kill came never began. */
export async function storedPlans(folder: string): Promise<readonly StoredPlan[]> {
  const plans: StoredPlan[] = [];
  for (const hash of (await namesIn(folder)).filter((name) => !leavingName.test(name))) {
    const plan = await planIn(folder, hash);
    if (plan === undefined) continue;
    const journal = diskJournal(join(folder, hash));
    plans.push({ hash, plan, journal, standing: new Ledger(plan, await journal.entries()) });
  }
  return plans.toSorted((a, b) => (a.plan.made < b.plan.made ? -1 : 1));
}

const leaving = 'leaving-';
/** Beside the plans lie locks, under the names of components. */
const leavingName = /^leaving-[0-9a-f]{64}$/;

/**
 * Removes plans that are over, of which whoever asks says that this was long ago: what became of them stands in the records. A plan goes at once, by its
 * name, so that a kill leaves none that looks as if it had never begun; what it leaves goes the next time.
 */
export async function clearEndedPlans(
  folder: string,
  isOld: (plan: Plan, endedNs: bigint) => Promise<boolean>,
): Promise<void> {
  for (const { hash, plan, journal, standing } of await storedPlans(folder)) {
    const last = isOver(standing) ? (await journal.entries()).at(-1) : undefined;
    if (last === undefined || !(await isOld(plan, last.timeNs))) continue;
    const from = join(folder, hash);
    await lasting(from, async () => await rename(from, join(folder, `${leaving}${hash}`)));
  }
  for (const name of (await namesIn(folder)).filter((one) => leavingName.test(one)))
    await lasting(folder, async () => await rm(join(folder, name), { recursive: true, force: true }));
}

async function planIn(folder: string, hash: string): Promise<Plan | undefined> {
  const path = join(folder, hash, 'plan.json');
  const bytes = await readFile(path).catch((error: unknown) => {
    if (errorCode(error) === 'ENOENT' || errorCode(error) === 'ENOTDIR') return undefined;
    throw unusable(path, error);
  });
  if (bytes === undefined) return undefined;
  const plan = decodePlan(bytes, path);
  if (hashOfPlan(plan) !== hash) throw new HoldfastError('damaged', `${path} is not the plan that was approved`);
  return plan;
}

const entryName = /^(\d{6})\.json$/;

/** Each entry is a file of its own, made once: of two that execute one plan the second is refused. */
function diskJournal(folder: string): Journal {
  let next: number | undefined;
  const numbers = async (): Promise<readonly number[]> =>
    (await namesIn(folder)).flatMap((name) => Number(entryName.exec(name)?.[1] ?? [])).filter((at) => at > 0);
  return {
    entries: async () => {
      const entries: Entry[] = [];
      for (const at of (await numbers()).toSorted((a, b) => a - b)) {
        const path = join(folder, nameOf(at));
        entries.push(decodeEntry(await lasting(path, async () => await readFile(path)), path));
      }
      next = entries.length + 1;
      return entries;
    },
    append: async (entry) => {
      next ??= (await numbers()).length + 1;
      const name = nameOf(next);
      await lasting(folder, async () => await createWhole(folder, name, encodeEntry(entry)));
      next += 1;
    },
  };
}

function nameOf(at: number): string {
  return `${String(at).padStart(6, '0')}.json`;
}

/** Forced to disk before it has its name, and its name after it. */
async function createWhole(folder: string, name: string, text: string): Promise<void> {
  const draft = join(folder, `${name}.${randomBytes(6).toHex()}.tmp`);
  await using file = await open(draft, 'wx', 0o600);
  await file.writeFile(text);
  await syncFile(file);
  try {
    await link(draft, join(folder, name));
  } catch (cause) {
    if (errorCode(cause) !== 'EEXIST') throw cause;
    throw new HoldfastError('locked', `another process goes on with the plan in ${folder}`, { cause });
  } finally {
    await unlink(draft);
  }
  await syncFolder(folder);
}

async function namesIn(folder: string): Promise<readonly string[]> {
  try {
    return await readdir(folder);
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return [];
    throw unusable(folder, error);
  }
}

async function lasting<T>(path: string, act: () => Promise<T>): Promise<T> {
  try {
    return await act();
  } catch (error) {
    if (errorCode(error) === undefined) throw error;
    throw unusable(path, error);
  }
}

function unusable(path: string, cause: unknown): HoldfastError {
  return new HoldfastError('refused', `the journal in ${path} can’t be used: ${reasonOf(cause)}`, { cause });
}
