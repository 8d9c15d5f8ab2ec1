import { hash } from 'node:crypto';
import { fieldsOf, listOf, parseFields, textOf, countOf, type Fields } from '../bytes/fields.ts';
import { parseGoTime } from '../bytes/go-time.ts';
import { isSignedBy } from '../crypto/signature.ts';
import { HoldfastError } from '../errors/error.ts';
import { recordFolder, recordKinds, type Actor, type RecordFacts, type StoredRecord, type Writer } from './record.ts';

/** Where a record stands in its chain. */
export interface Link {
  readonly sequence: number;
  readonly previous: string;
}

const digits = 10;
const largestBytes = 64 * 1024;

export function recordName(component: string, writer: string, sequence: number): string {
  return `${chainFolder(component, writer)}${String(sequence).padStart(digits, '0')}`;
}

export function chainFolder(component: string, writer: string): string {
  return `${recordFolder}${component}/${writer}/`;
}

export function hashOf(object: Uint8Array): string {
  return hash('sha256', object);
}

/** The object's plaintext: the body as a text of its own, so that what is signed is what stands there, byte for byte. */
export function encodeRecord(facts: RecordFacts, writer: Writer, { sequence, previous }: Link): Uint8Array {
  const { component } = facts;
  const name = recordName(component, writer.id, sequence);
  const body = JSON.stringify({ version: 1, name, writer: writer.id, sequence, previous, ...factFields(facts) });
  if (Buffer.byteLength(body) > largestBytes)
    throw new HoldfastError('internal', `a record of ${component} has more than ${largestBytes} bytes`);
  return signed(body, writer);
}

function signed(body: string, { signer }: Writer): Uint8Array {
  return Buffer.from(JSON.stringify({ body, key: signer.publicKey, signature: signer.sign(Buffer.from(body)) }));
}

/** A signed object: its body, and who signed it. 'damaged' when the signature isn't of that key and body. */
function opened(object: Uint8Array, name: string): { readonly body: Fields; readonly signer: string } {
  const { body, key, signature } = parseFields(object, name);
  const [text, signer] = [textOf(body, name), textOf(key, name)];
  if (!isSignedBy(signer, Buffer.from(text), textOf(signature, name)))
    throw new HoldfastError('damaged', `${name} is not signed by the key that it names`);
  const fields = parseFields(Buffer.from(text), name);
  if (fields['version'] !== 1)
    throw new HoldfastError('unsupported', `${name} was written by a version of Holdfast that knows more`);
  if (fields['name'] !== name) throw new HoldfastError('damaged', `${name} holds the content of another object`);
  return { body: fields, signer };
}

/** 'damaged' when it is forged, another object's content, or makes no sense. */
export function decodeRecord(object: Uint8Array, name: string): StoredRecord {
  const { body, signer } = opened(object, name);
  return {
    ...factsOf(body, name),
    name,
    writer: textOf(body['writer'], name),
    sequence: countOf(body['sequence'], Number.MAX_SAFE_INTEGER, name),
    previous: textOf(body['previous'], name),
    hash: hashOf(object),
    signer,
  };
}

/** The facts among the members of a JSON object; 'damaged', naming `what`, when they make no sense. */
export function factsOf(fields: Fields, what: string): RecordFacts {
  const kind = recordKinds.find((one) => one === fields['kind']);
  if (kind === undefined) throw new HoldfastError('damaged', `${what} is of no known kind`);
  const optional = (key: string): string | undefined =>
    fields[key] === undefined ? undefined : textOf(fields[key], what);
  return {
    kind,
    component: textOf(fields['component'], what),
    timeNs: parseGoTime(textOf(fields['time'], what)),
    actor: actorOf(fieldsOf(fields['actor'], what), what),
    repository: optional('repository'),
    plan: optional('plan'),
    data: fieldsOf(fields['data'], what),
  };
}

/** As `factsOf` takes them. */
export function factFields({ timeNs, ...facts }: RecordFacts): Fields {
  return { ...facts, time: Temporal.Instant.fromEpochNanoseconds(timeNs).toString() };
}

function actorOf({ id, via, ip, mfa }: Fields, name: string): Actor {
  return {
    id: textOf(id, name),
    via: textOf(via, name),
    ...(ip === undefined ? {} : { ip: textOf(ip, name) }),
    ...(mfa === undefined ? {} : { mfa: mfa === true }),
  };
}

/** The newest record of a chain, as the component's other repositories are told of it. */
export interface Head {
  readonly component: string;
  readonly writer: string;
  readonly sequence: number;
  readonly hash: string;
}

export function headName({ component, writer, sequence }: Omit<Head, 'hash'>): string {
  return `${chainFolder(component, writer)}head-${String(sequence).padStart(digits, '0')}`;
}

export function encodeHead(head: Head, writer: Writer): Uint8Array {
  return signed(JSON.stringify({ version: 1, name: headName(head), ...head }), writer);
}

export function decodeHead(object: Uint8Array, name: string): Head & { readonly signer: string } {
  const { body, signer } = opened(object, name);
  return {
    component: textOf(body['component'], name),
    writer: textOf(body['writer'], name),
    sequence: countOf(body['sequence'], Number.MAX_SAFE_INTEGER, name),
    hash: textOf(body['hash'], name),
    signer,
  };
}

/** Many records of a closed month as one object: the objects as they were, so that every hash and signature holds. */
export interface Bundle {
  readonly component: string;
  readonly writer: string;
  /** The first and the last, and all between. */
  readonly from: number;
  readonly to: number;
  readonly objects: readonly string[];
}

export function bundleName({ component, writer, from, to }: Omit<Bundle, 'objects'>): string {
  const of = (sequence: number): string => String(sequence).padStart(digits, '0');
  return `${chainFolder(component, writer)}${of(from)}-${of(to)}`;
}

export function encodeBundle(bundle: Bundle, writer: Writer): Uint8Array {
  return signed(JSON.stringify({ version: 1, name: bundleName(bundle), objects: bundle.objects }), writer);
}

export function decodeBundle(object: Uint8Array, name: string): readonly Uint8Array[] {
  const { body } = opened(object, name);
  return listOf(body['objects'], name).map((text) => Buffer.from(textOf(text, name)));
}
