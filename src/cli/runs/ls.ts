import { displayPath } from '../../bytes/ids.ts';
import { baseName } from '../../bytes/unix-path.ts';
import { ls } from '../../job/ls.ts';
import type { Snapshot } from '../../snapshot/snapshot.ts';
import type { WalkedNode } from '../../snapshot/walk.ts';
import { foldersOf } from '../checks/ls.ts';
import type { Invocation, Run } from '../command.ts';
import type { lsOptions } from '../commands/ls.ts';
import type { Console } from '../console.ts';
import { formatTime, quoteForTerminal } from '../format.ts';
import { NcduExport } from '../ncdu.ts';
import { listedNode, nodeLine } from '../node-record.ts';
import { reading } from '../reading.ts';
import { findOptions } from '../selection.ts';
import { snapshotRecord } from '../snapshot-record.ts';

type Values = Invocation<typeof lsOptions>['values'];

export const run: Run<typeof lsOptions> = async ({ values, operands }, context) => {
  const [name = '', ...rest] = operands;
  const { console } = context;
  const printer = printerFor(values, console, rest);
  const own = values.ncdu ? { ...context, console: { ...console, terminal: undefined } } : context;
  const folders = foldersOf(operands);
  const how = {
    action: 'ls',
    snapshots: [name],
    find: () => findOptions(values, context),
    component: name,
    times: [values.at],
    from: values.from,
    asked: { paths: rest },
  };
  await reading(own, how, async (job, [snapshot = name], find) =>
    ls(job, {
      name: snapshot,
      find,
      folders,
      depth: values.recursive ? 'all' : 'items',
      leading: values.ncdu ? 'told' : 'left out',
      onSnapshot: (found) => printer.begin(found),
      onItem: (item) => printer.item(item),
    }),
  );
  printer.end();
  return 0;
};

/** Shows a snapshot and then its items. */
interface Printer {
  begin(snapshot: Snapshot): void;
  item(item: WalkedNode): void;
  end(): void;
}

function printerFor(values: Values, console: Console, folders: readonly string[]): Printer {
  if (values.ncdu) return new NcduExport(console);
  const shown = console.form === 'json' ? jsonPrinter(console) : textPrinter(values, console, folders);
  const isSorted = values.reverse || (values.sort !== undefined && values.sort !== 'name');
  return isSorted ? sortedPrinter(shown, values) : shown;
}

function jsonPrinter(console: Console): Printer {
  return {
    begin: (snapshot) =>
      console.record({ ...snapshotRecord(snapshot), message_type: 'snapshot', struct_type: 'snapshot' }),
    item: ({ path, node }) => console.record(listedNode(path, node)),
    end: () => undefined,
  };
}

function textPrinter(values: Values, console: Console, folders: readonly string[]): Printer {
  return {
    begin: ({ id, paths, timeNs, username, hostname }) => {
      const filter = folders.length === 0 ? '' : ` filtered by [${folders.join(' ')}]`;
      const origin = `[${paths.join(' ')}] at ${formatTime(timeNs)} by ${username}@${hostname}`;
      console.say(quoteForTerminal(`snapshot ${id.slice(0, 8)} of ${origin}${filter}:`));
    },
    item: ({ path, node }) => console.say(nodeLine(path, node, values), 0),
    end: () => undefined,
  };
}

/** Keeps the items until all are there. */
function sortedPrinter(shown: Printer, values: Values): Printer {
  const items: WalkedNode[] = [];
  return {
    begin: (snapshot) => shown.begin(snapshot),
    item: (item) => void items.push(item),
    end: () => {
      for (const item of inOrder(items, values)) shown.item(item);
      shown.end();
    },
  };
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
