import { newSignerPem, signerFromPem } from '../../src/crypto/signature.ts';
import { bundleName, encodeBundle, encodeRecord, hashOf, recordName } from '../../src/record/form.ts';
import type { RecordFacts, Writer } from '../../src/record/record.ts';
import { TaskGroup } from '../../src/flow/task-group.ts';
import { writeOwnObject } from '../../src/repository/own-object.ts';
import type { Repository } from '../../src/repository/repository.ts';

export interface ManyRecords {
  readonly records: number;
  /** Each a component of its own, all by one writer. */
  readonly components: readonly string[];
  /** Folded by months of 5,000 records, all but the newest; or each an object of its own. */
  readonly layout: 'bundles' | 'loose';
}

const mostInBundle = 5000;
const looseInTheEnd = 100;
const minuteNs = 60_000_000_000n;

/** Writes chains as years of runs leave them behind; the writer's public key. */
export async function writeManyRecords(repository: Repository, wanted: ManyRecords): Promise<string> {
  const writer = { id: 'host-1', signer: signerFromPem(newSignerPem()) };
  const each = Math.ceil(wanted.records / wanted.components.length);
  await using group = new TaskGroup({ limit: 16 });
  for (const component of wanted.components) {
    const objects = chainOf(component, writer, each);
    const loose = wanted.layout === 'loose' ? 0 : Math.max(0, each - looseInTheEnd);
    for (let from = 0; from < loose; from += mostInBundle) {
      const part = objects.slice(from, Math.min(loose, from + mostInBundle)).map((one) => Buffer.from(one).toString());
      const bundle = { component, writer: writer.id, from: from + 1, to: from + part.length, objects: part };
      group.run(async () => await writeOwnObject(repository, bundleName(bundle), encodeBundle(bundle, writer)));
    }
    for (const [at, object] of objects.slice(loose).entries())
      group.run(async () => await writeOwnObject(repository, recordName(component, writer.id, loose + at + 1), object));
  }
  await group.wait();
  return writer.signer.publicKey;
}

function chainOf(component: string, writer: Writer, length: number): readonly Uint8Array[] {
  const objects: Uint8Array[] = [];
  let previous = '';
  for (let sequence = 1; sequence <= length; sequence += 1) {
    const object = encodeRecord(factOf(component, sequence), writer, { sequence, previous });
    previous = hashOf(object);
    objects.push(object);
  }
  return objects;
}

/** Four runs, a copy and a verification, again and again. */
function factOf(component: string, sequence: number): RecordFacts {
  const kinds = ['run', 'run', 'copy', 'run', 'run', 'verification'] as const;
  const kind = kinds[sequence % kinds.length] ?? 'run';
  const timeNs = 1_700_000_000_000_000_000n + BigInt(sequence) * 7n * minuteNs;
  const actor = { id: 'ops', via: 'cli' };
  const data = {
    outcome: 'done',
    rule: 'hourly',
    snapshot: hashOf(Buffer.from(`${component} ${sequence}`)),
    parent: hashOf(Buffer.from(`${component} ${sequence - 1}`)),
    added_bytes: sequence * 1021,
    seconds: sequence % 97,
  };
  return { kind, component, timeNs, actor, repository: 'near', data };
}
