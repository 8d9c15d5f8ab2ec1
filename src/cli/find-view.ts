import { displayPath } from '../bytes/ids.ts';
import type { FindOutcome } from '../job/find.ts';
import type { FoundBlob } from '../snapshot/find.ts';
import type { Snapshot } from '../snapshot/snapshot.ts';
import type { WalkedNode } from '../snapshot/walk.ts';
import type { Console } from './console.ts';
import { formatTime, quoteForTerminal } from './format.ts';
import { toJson } from './json.ts';
import { foundNode, nodeLine } from './node-record.ts';

/** Prints what is found as it comes, in restic's form. */
export interface FindView {
  node(snapshot: Snapshot, found: WalkedNode): void;
  blob(snapshot: Snapshot, found: FoundBlob): void;
  finish(outcome: FindOutcome): void;
}

export interface FindForm {
  readonly long: boolean;
  readonly humanReadable: boolean;
  readonly showPackId: boolean;
}

export function findView(console: Console, form: FindForm): FindView {
  return console.form === 'json' ? new JsonFindView(console) : new TextFindView(console, form);
}

class TextFindView implements FindView {
  readonly #console: Console;
  readonly #form: FindForm;
  #snapshot: Snapshot | undefined;

  constructor(console: Console, form: FindForm) {
    this.#console = console;
    this.#form = form;
  }

  node(snapshot: Snapshot, { path, node }: WalkedNode): void {
    if (this.#snapshot !== snapshot) {
      if (this.#snapshot !== undefined) this.#console.say('');
      this.#snapshot = snapshot;
      const from = `${snapshot.id.slice(0, 8)} from ${formatTime(snapshot.timeNs)}`;
      this.#console.say(`Found matching entries in snapshot ${from}`);
    }
    this.#say(nodeLine(path, node, this.#form));
  }

  blob({ id: snapshot, timeNs }: Snapshot, { type, id, path, parentTree }: FoundBlob): void {
    const shown = quoteForTerminal(displayPath(path));
    this.#say(`Found ${type === 'data' ? 'blob' : 'tree'} ${id}`);
    this.#say(type === 'data' ? ` ... in file ${shown}` : ` ... path ${shown}`);
    if (parentTree !== undefined) this.#say(`     (tree ${parentTree})`);
    this.#say(` ... in snapshot ${snapshot.slice(0, 8)} (${formatTime(timeNs)})`);
  }

  finish({ locations, unknown }: FindOutcome): void {
    if (!this.#form.showPackId) return;
    for (const { type, id, pack, offset, length, plainLength, compressed } of locations) {
      const uncompressed = compressed ? plainLength : 0;
      const where = `offset ${offset}, length ${length}, uncompressed length ${uncompressed}`;
      this.#say(`Object belongs to pack ${pack}`);
      this.#say(` ... Pack ${pack.slice(0, 8)}: <Blob (${type}) ${id.slice(0, 8)}, ${where}>`);
    }
    for (const id of unknown) this.#say(`Object ${id} not found in the index: no pack has it`);
  }

  #say(line: string): void {
    this.#console.say(line, 0);
  }
}

/** One document on one line, written piece by piece: of files an object a snapshot, of blobs an object each. */
class JsonFindView implements FindView {
  readonly #console: Console;
  #snapshot: Snapshot | undefined;
  #hits = 0;
  #count = 0;

  constructor(console: Console) {
    this.#console = console;
  }

  node(snapshot: Snapshot, { path, node }: WalkedNode): void {
    if (this.#snapshot !== snapshot) {
      this.#endSnapshot();
      this.#item('{"matches":[');
      this.#snapshot = snapshot;
    }
    this.#console.piece(`${this.#hits > 0 ? ',' : ''}${toJson(foundNode(path, node))}`);
    this.#hits += 1;
  }

  blob(snapshot: Snapshot, { type, id, path, parentTree }: FoundBlob): void {
    const record = {
      object_type: type === 'data' ? 'blob' : 'tree',
      id,
      path: displayPath(path),
      ...(parentTree === undefined ? {} : { parent_tree: parentTree }),
      snapshot: snapshot.id,
      time: snapshot.time,
    };
    this.#item(toJson(record));
  }

  finish(): void {
    this.#endSnapshot();
    this.#console.piece(this.#count === 0 ? '[]\n' : ']\n');
  }

  #endSnapshot(): void {
    if (this.#snapshot !== undefined) this.#console.piece(`],"hits":${this.#hits},"snapshot":"${this.#snapshot.id}"}`);
    this.#snapshot = undefined;
    this.#hits = 0;
  }

  #item(json: string): void {
    this.#console.piece(`${this.#count === 0 ? '[' : ','}${json}`);
    this.#count += 1;
  }
}
