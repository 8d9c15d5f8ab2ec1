import type { LifecycleRule, Versioning } from '../setup.ts';
import type { Statement } from '../statement.ts';
import type { Retention } from '../versions.ts';
import { dayMs, daysOf } from './days.ts';
import type { Answer } from './question.ts';

export interface Circumstances {
  /** Where in the bucket the storage begins: '' or ending with '/'. */
  readonly prefix: string;
  readonly versioning: Answer<Versioning>;
  /** How what is stored is locked, if it is. */
  readonly locked: Retention | undefined;
}

/** What nobody misses a day later. */
const passing = ['locks/', 'holdfast/conformance/'];
/** Nothing can be read there before it is thawed. */
const archives = ['GLACIER', 'DEEP_ARCHIVE'];

type Judged = Omit<Statement, 'about'>;

/** Whether rules destroy what is stored, and whether they remove what nobody needs any more. */
export function judgeLifecycle(
  answer: Answer<readonly LifecycleRule[]>,
  circumstances: Circumstances,
): readonly Statement[] {
  const about = 'lifecycle';
  if (!answer.known && answer.because === 'refused')
    return [{ about, state: 'unknown', text: 'which lifecycle rules the bucket has', detail: answer.why }];
  const rules = (answer.known ? answer.answer : []).filter((rule) => concerns(rule, circumstances.prefix));
  const dangers = rules.flatMap((rule) => dangersOf(rule, circumstances));
  const none = answer.known ? 'no lifecycle rule touches what is current' : 'the server knows no lifecycle rules';
  const judged: readonly Judged[] = [
    ...(dangers.length > 0 ? dangers : [{ state: 'ok', text: none } as const]),
    ...missing(rules, circumstances, answer.known ? 'a rule can do it' : 'there are no rules: who prunes has to do it'),
  ];
  return judged.map((statement) => ({ about, ...statement }));
}

function concerns({ prefix }: LifecycleRule, root: string): boolean {
  if (passing.some((folder) => prefix.startsWith(root + folder))) return false;
  return prefix.startsWith(root) || root.startsWith(prefix);
}

function dangersOf(rule: LifecycleRule, { prefix: root, locked }: Circumstances): readonly Judged[] {
  const { name, prefix, only, expires, noncurrentDays, movesInto } = rule;
  const found: Judged[] = [];
  const some = only === undefined ? 'objects' : `objects ${only}`;
  if (expires !== undefined) {
    const detail = 'what backups need goes with them: let it expire noncurrent versions only';
    const state = only === 'with tags' ? 'warning' : 'failed';
    found.push({ state, text: `the lifecycle rule ${name} removes ${some} ${expires}`, detail });
  }
  if (noncurrentDays !== undefined && locked && noncurrentDays * dayMs < locked.ms) {
    const text = `the lifecycle rule ${name} removes old versions after ${daysOf(noncurrentDays * dayMs)}`;
    found.push({ state: 'failed', text, detail: `the lock is to hold for ${daysOf(locked.ms)}: let it wait as long` });
  }
  const archive = movesInto.find((storageClass) => archives.includes(storageClass));
  if (archive !== undefined) found.push(archived(name, archive, prefix.startsWith(`${root}data/`)));
  return found;
}

function archived(name: string, archive: string, packsOnly: boolean): Judged {
  const text = `the lifecycle rule ${name} moves objects into ${archive}`;
  return packsOnly
    ? {
        state: 'warning',
        text,
        detail: 'packs of trees are among them: even `ls` needs a thaw. -o s3.storage-class moves packs of data only',
      }
    : { state: 'failed', text, detail: 'keys and indexes are among them: the repository doesn’t open before a thaw' };
}

/** What piles up and costs. */
function missing(
  rules: readonly LifecycleRule[],
  { prefix, versioning }: Circumstances,
  how: string,
): readonly Judged[] {
  const covers = (does: (rule: LifecycleRule) => boolean): boolean =>
    rules.some((rule) => rule.only === undefined && prefix.startsWith(rule.prefix) && does(rule));
  const found: Judged[] = [];
  const versioned = versioning.known ? versioning.answer !== 'off' : versioning.because === 'refused';
  if (versioned && !covers(({ noncurrentDays }) => noncurrentDays !== undefined))
    found.push({
      state: 'warning',
      text: 'nothing removes old versions',
      detail: `what prune removes goes on costing; ${how}`,
    });
  if (versioned && !covers(({ removesMarkers }) => removesMarkers))
    found.push({
      state: 'warning',
      text: 'nothing removes markers that hide nothing any more',
      detail: `lists grow slower by them; ${how}`,
    });
  if (!covers(({ endsUploads }) => endsUploads))
    found.push({
      state: 'warning',
      text: 'nothing but `prune` ends uploads in parts that were interrupted',
      detail: `until then they cost; ${how}`,
    });
  return found;
}
