import { hash } from 'node:crypto';
import { fieldsOf, listOf, parseFields, textOf, countOf, type Fields } from '../bytes/fields.ts';
import { parseGoTime } from '../bytes/go-time.ts';
import { isSignedBy } from '../crypto/signature.ts';
import { HoldfastError } from '../errors/error.ts';
import { shortened } from './fit.ts';
import { recordFolder, recordKinds, type Actor, type RecordFacts, type StoredRecord, type Writer } from './record.ts';

/** Where a record stands in its chain. */
export interface Link {
  readonly sequence: number;
  readonly previous: string;
}

const digits = 10;
const largestBytes = 64 * 1024;

export function recordName(component: string, writer: string, sequence: number): string {
  return `${chainFolder(component, writer)}${padded(sequence)}`;
}

function padded(sequence: number): string {
  return String(sequence).padStart(digits, '0');
}

export function chainFolder(component: string, writer: string): string {
  return `${recordFolder}${component}/${writer}/`;
}

export function hashOf(object: Uint8Array): string {
  return hash('sha256', object);
}

/** The object's plaintext: the body as a text of its own, so that what is signed is what stands there, byte for byte. */
export function encodeRecord(facts: RecordFacts, writer: Writer, { sequence, previous }: Link): Uint8Array {
  const { component, data } = facts;
  const name = recordName(component, writer.id, sequence);
  const bodyWith = (told: RecordFacts): string =>
    JSON.stringify({ version: 1, name, writer: writer.id, sequence, previous, ...factFields(told) });
  const whole = bodyWith(facts);
  const isTooLarge = Buffer.byteLength(whole) > largestBytes;
  const body = isTooLarge ? bodyWith({ ...facts, data: shortened(data) }) : whole;
  if (Buffer.byteLength(body) > largestBytes)
    throw new HoldfastError('internal', `a record of ${component} has more than ${largestBytes} bytes`);
  return signed(body, writer);
}

function signed(body: string, { signer }: Writer): Uint8Array {
  return Buffer.from(JSON.stringify({ body, key: signer.publicKey, signature: signer.sign(Buffer.from(body)) }));
}

/** An object that says by whom it is signed. */
export interface Signed {
  readonly name: string;
  readonly signer: string;
  readonly body: string;
  /** SHA-256 of the object, hex. */
  readonly hash: string;
  /** Whether the signature is of that key and body: a tenth of a millisecond. */
  readonly isGenuine: () => boolean;
}

/** 'damaged' when it is nothing of that kind, or the same in other bytes: what is signed has one form and one hash. */
export function signedIn(object: Uint8Array, name: string): Signed {
  const { body, key, signature } = parseFields(object, name);
  const [text, signer, mark] = [textOf(body, name), textOf(key, name), textOf(signature, name)];
  const inOneForm = Buffer.from(JSON.stringify({ body: text, key: inBase64(signer), signature: inBase64(mark) }));
  if (!inOneForm.equals(object))
    throw new HoldfastError('damaged', `${name} is not in the form that it was written in`);
  const isGenuine = (): boolean => isSignedBy(signer, Buffer.from(text), mark);
  return { name, signer, body: text, hash: hashOf(object), isGenuine };
}

function inBase64(text: string): string {
  return Buffer.from(text, 'base64').toString('base64');
}

function assertGenuine({ name, isGenuine }: Signed): void {
  if (!isGenuine()) throw new HoldfastError('damaged', `${name} is not signed by the key that it names`);
}

/** 'damaged' when it is forged or another object's content; 'unsupported' when a newer version wrote it. */
function opened(object: Uint8Array, name: string): { readonly body: Fields; readonly signer: string } {
  const signed = signedIn(object, name);
  assertGenuine(signed);
  return { body: bodyOf(signed), signer: signed.signer };
}

function bodyOf({ name, body }: Signed): Fields {
  const fields = parseFields(Buffer.from(body), name);
  if (fields['version'] !== 1)
    throw new HoldfastError('unsupported', `${name} was written by a version of Holdfast that knows more`);
  if (fields['name'] !== name) throw new HoldfastError('damaged', `${name} holds the content of another object`);
  return fields;
}

/** As `opened` does. */
export function decodeRecord(object: Uint8Array, name: string): StoredRecord {
  const signed = signedIn(object, name);
  assertGenuine(signed);
  return recordIn(signed);
}

/** What it says, whoever signed it; 'damaged' when it is another object's content or makes no sense. */
export function recordIn(signed: Signed): StoredRecord {
  const { name, signer, hash: own } = signed;
  const body = bodyOf(signed);
  return {
    ...factsOf(body, name),
    name,
    writer: textOf(body['writer'], name),
    sequence: countOf(body['sequence'], Number.MAX_SAFE_INTEGER, name),
    previous: textOf(body['previous'], name),
    hash: own,
    signer,
  };
}

/**
 * The facts among the members of a JSON object; 'damaged', naming `what`, when they make no sense, 'unsupported' when
 * they are of a kind that is not known here.
 */
export function factsOf(fields: Fields, what: string): RecordFacts {
  const named = textOf(fields['kind'], what);
  const kind = recordKinds.find((one) => one === named);
  if (kind === undefined)
    throw new HoldfastError('unsupported', `${what} is of a kind that this version of Holdfast doesn’t know`);
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

/** A record of a chain, as the component's other repositories are told of it. */
export interface Head {
  /** The ID of the repository where the chain stands: another may hold one of the same name. */
  readonly repository: string;
  readonly component: string;
  readonly writer: string;
  readonly sequence: number;
  readonly hash: string;
}

export function headName({ repository, component, writer, sequence }: Omit<Head, 'hash'>): string {
  return `${chainFolder(component, writer)}head-${repository.slice(0, 16)}-${padded(sequence)}`;
}

export function encodeHead(head: Head, writer: Writer): Uint8Array {
  return signed(JSON.stringify({ version: 1, name: headName(head), ...head }), writer);
}

export function decodeHead(object: Uint8Array, name: string): Head & { readonly signer: string } {
  const { body, signer } = opened(object, name);
  return {
    repository: textOf(body['repository'], name),
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
  return `${chainFolder(component, writer)}${padded(from)}-${padded(to)}`;
}

export function encodeBundle(bundle: Bundle, writer: Writer): Uint8Array {
  return signed(JSON.stringify({ version: 1, name: bundleName(bundle), objects: bundle.objects }), writer);
}

/** What a bundle holds proves itself record by record; whether the bundle is as its writer left it is told beside. */
export function decodeBundle(
  object: Uint8Array,
  name: string,
): { readonly objects: readonly Uint8Array[]; readonly isGenuine: boolean } {
  const signed = signedIn(object, name);
  const isGenuine = signed.isGenuine();
  try {
    const objects = listOf(bodyOf(signed)['objects'], name).map((text) => Buffer.from(textOf(text, name)));
    return { objects, isGenuine };
  } catch (error) {
    assertGenuine(signed);
    throw error;
  }
}
