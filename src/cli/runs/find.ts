import { displayPath } from '../../bytes/ids.ts';
import { parsePathPatterns } from '../../bytes/path-pattern.ts';
import { HoldfastError } from '../../errors/error.ts';
import { find, type FindJobOptions } from '../../job/find.ts';
import type { BlobLocation } from '../../repository/index.ts';
import type { FindQuery, FoundBlob } from '../../snapshot/find.ts';
import type { Snapshot } from '../../snapshot/snapshot.ts';
import type { WalkedNode } from '../../snapshot/walk.ts';
import { jobContext } from '../access.ts';
import type { Invocation, Run } from '../command.ts';
import type { findOptions as findCommandOptions } from '../commands/find.ts';
import type { Context } from '../context.ts';
import { formatTime, quoteForTerminal } from '../format.ts';
import { foundNode, nodeLine } from '../node-record.ts';
import { rawArgument } from '../raw-argument.ts';
import { findOptions } from '../selection.ts';
import { timeOf } from '../time-argument.ts';

type Values = Invocation<typeof findCommandOptions>['values'];

export const run: Run<typeof findCommandOptions> = async ({ values, operands }, context) => {
  const results = new Results(values, context);
  const { locations } = await find(jobContext(context), {
    ...findOptions(values, context),
    names: values.snapshot,
    order: values.reverse ? 'oldest first' : 'newest first',
    wanted: wantedOf(values, operands),
    onNode: (snapshot, found) => results.node(snapshot, found),
    onBlob: (snapshot, found) => results.blob(snapshot, found),
  });
  results.finish(values.showPackId ? locations : []);
  return 0;
};

function wantedOf(values: Values, operands: readonly string[]): FindJobOptions['wanted'] {
  const kinds = (['blob', 'tree', 'pack'] as const).filter((kind) => values[kind]);
  const [kind] = kinds;
  if (kinds.length > 1) throw new HoldfastError('usage', 'find: only one of --blob, --tree and --pack');
  if (kind !== undefined) return { kind: `${kind}s`, ids: operands };
  const query: FindQuery = {
    patterns: parsePathPatterns(operands.map(rawArgument), { case: values.ignoreCase ? 'ignored' : 'exact' }),
    ...(values.oldest === undefined ? {} : { oldestNs: timeOf(values.oldest, '--oldest') }),
    ...(values.newest === undefined ? {} : { newestNs: timeOf(values.newest, '--newest') }),
  };
  if ((query.oldestNs ?? 0n) > (query.newestNs ?? query.oldestNs ?? 0n)) {
    throw new HoldfastError('usage', '--oldest is after --newest');
  }
  return { kind: 'nodes', query };
}

interface Matches {
  readonly matches: unknown[];
  hits: number;
  readonly snapshot: string;
}

/** Text as it comes; JSON as one document, in restic's form. */
class Results {
  readonly #values: Values;
  readonly #context: Context;
  readonly #records: unknown[] = [];
  #of: Snapshot | undefined;
  #matches: Matches | undefined;

  constructor(values: Values, context: Context) {
    this.#values = values;
    this.#context = context;
  }

  node(snapshot: Snapshot, { path, node }: WalkedNode): void {
    const { console } = this.#context;
    if (this.#of !== snapshot) this.#begin(snapshot);
    if (console.form === 'text') return console.say(nodeLine(path, node, this.#values), 0);
    this.#matches?.matches.push(foundNode(path, node));
    if (this.#matches !== undefined) this.#matches.hits += 1;
  }

  #begin(snapshot: Snapshot): void {
    const { console } = this.#context;
    if (this.#of !== undefined) console.say('');
    this.#of = snapshot;
    console.say(`Found matching entries in snapshot ${snapshot.id.slice(0, 8)} from ${formatTime(snapshot.timeNs)}`);
    this.#matches = { matches: [], hits: 0, snapshot: snapshot.id };
    this.#records.push(this.#matches);
  }

  blob(snapshot: Snapshot, { type, id, path, parentTree }: FoundBlob): void {
    const { console } = this.#context;
    const kind = type === 'data' ? 'blob' : 'tree';
    if (console.form === 'json') {
      const tree = parentTree === undefined ? {} : { parent_tree: parentTree };
      this.#records.push({
        object_type: kind,
        id,
        path: displayPath(path),
        ...tree,
        snapshot: snapshot.id,
        time: snapshot.time,
      });
      return;
    }
    console.say(`Found ${kind} ${id}`, 0);
    console.say(` ... in ${kind === 'blob' ? 'file' : 'folder'} ${quoteForTerminal(displayPath(path))}`, 0);
    if (parentTree !== undefined) console.say(`     (tree ${parentTree})`, 0);
    console.say(` ... in snapshot ${snapshot.id.slice(0, 8)} (${formatTime(snapshot.timeNs)})`, 0);
  }

  finish(locations: readonly BlobLocation[]): void {
    const { console } = this.#context;
    if (console.form === 'json') return console.record(this.#records);
    for (const { type, id, pack, offset, length } of locations) {
      console.say(`Object belongs to pack ${pack}`, 0);
      console.say(` ... ${type} blob ${id}, ${length} bytes from ${offset} on`, 0);
    }
  }
}
