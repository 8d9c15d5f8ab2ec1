import { displayPath, type RawPath } from '../../bytes/ids.ts';
import { baseName, cleanPath, isAbsolutePath } from '../../bytes/unix-path.ts';
import { HoldfastError } from '../../errors/error.ts';
import { ls } from '../../job/ls.ts';
import type { Snapshot } from '../../snapshot/snapshot.ts';
import type { WalkedNode } from '../../snapshot/walk.ts';
import { jobContext } from '../access.ts';
import type { Invocation, Run } from '../command.ts';
import type { lsOptions } from '../commands/ls.ts';
import type { Console } from '../console.ts';
import { formatTime } from '../format.ts';
import { listedNode, nodeLine } from '../node-record.ts';
import { rawArgument } from '../raw-argument.ts';
import { findOptions } from '../selection.ts';
import { snapshotRecord } from '../snapshot-record.ts';

type Values = Invocation<typeof lsOptions>['values'];

export const run: Run<typeof lsOptions> = async ({ values, operands }, context) => {
  const [name = '', ...rest] = operands;
  const { console } = context;
  const collected: WalkedNode[] = [];
  const sorted = values.reverse || (values.sort !== undefined && values.sort !== 'name');
  await ls(jobContext(context), {
    name,
    find: findOptions(values, context),
    folders: rest.map(folderOf),
    depth: values.recursive ? 'all' : 'items',
    onSnapshot: (snapshot) => showSnapshot(snapshot, console),
    onItem: (item) => (sorted ? void collected.push(item) : showItem(item, values, console)),
  });
  for (const item of inOrder(collected, values)) showItem(item, values, console);
  return 0;
};

function folderOf(text: string): RawPath {
  const path = rawArgument(text);
  if (!isAbsolutePath(path)) throw new HoldfastError('usage', `ls: ${text} is not absolute: folders begin with /`);
  return cleanPath(path);
}

function showSnapshot(snapshot: Snapshot, console: Console): void {
  if (console.form === 'json')
    console.record({ ...snapshotRecord(snapshot), message_type: 'snapshot', struct_type: 'snapshot' });
  else
    console.say(
      `snapshot ${snapshot.id.slice(0, 8)} of ${snapshot.paths.join(', ')} at ${formatTime(snapshot.timeNs)}:`,
    );
}

function showItem({ path, node }: WalkedNode, values: Values, console: Console): void {
  if (console.form === 'json') console.record(listedNode(path, node));
  else console.say(nodeLine(path, node, values), 0);
}

type Compare = (a: WalkedNode, b: WalkedNode) => number;

const byPath: Compare = (a, b) => order(a.path, b.path);

function inOrder(items: readonly WalkedNode[], { sort = 'name', reverse }: Values): readonly WalkedNode[] {
  const compare = orders[sort];
  const sorted = items.toSorted((a, b) => compare(a, b) || byPath(a, b));
  return reverse ? sorted.toReversed() : sorted;
}

const orders: Readonly<Record<NonNullable<Values['sort']>, Compare>> = {
  name: byPath,
  size: (a, b) => a.node.sizeBytes - b.node.sizeBytes,
  time: (a, b) => order(a.node.mtimeNs, b.node.mtimeNs),
  mtime: (a, b) => order(a.node.mtimeNs, b.node.mtimeNs),
  atime: (a, b) => order(a.node.atimeNs, b.node.atimeNs),
  ctime: (a, b) => order(a.node.ctimeNs, b.node.ctimeNs),
  extension: (a, b) => order(extensionOf(a), extensionOf(b)),
};

function order<T extends string | bigint>(a: T, b: T): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

function extensionOf({ path }: WalkedNode): string {
  const name = displayPath(baseName(path));
  const dot = name.lastIndexOf('.');
  return dot < 0 ? '' : name.slice(dot);
}
