import { randomBytes } from 'node:crypto';
import { HoldfastError, hasCode } from '../errors/error.ts';
import { binary, count, isObject, malformed, optionalText, parseObject, secret } from './fields.ts';
import { deriveKey, saltLength, type Derivation, type ScryptParams } from './kdf.ts';
import { open, seal, sealOverhead, type RepositoryKey } from './seal.ts';

export { calibrate, type Derivation, type ScryptParams } from './kdf.ts';

/** A file under keys/: the master key, sealed under a key that scrypt makes of a password. Plain JSON. */
export interface KeyFile extends Derivation {
  /** RFC 3339. */
  readonly created: string;
  readonly username: string;
  readonly hostname: string;
  /** The sealed master key. */
  readonly data: Uint8Array;
}

export interface NewKeyFile {
  readonly password: string | Uint8Array;
  readonly params: ScryptParams;
  readonly master: RepositoryKey;
  /** RFC 3339. */
  readonly created: string;
  readonly username: string;
  readonly hostname: string;
}

export function randomMasterKey(): RepositoryKey {
  return { encrypt: randomBytes(32), macK: randomBytes(16), macR: randomBytes(16) };
}

/** The bytes of a new key file; its name is their SHA-256. */
export async function makeKeyFile(wanted: NewKeyFile): Promise<Buffer> {
  const { N, r, p } = wanted.params;
  const salt = randomBytes(saltLength);
  const user = await deriveKey(wanted.password, { N, r, p, salt });
  const { created, username, hostname } = wanted;
  const data = seal(user, masterJson(wanted.master));
  const file = { created, username, hostname, kdf: 'scrypt', N, r, p, salt: salt.toBase64(), data: data.toBase64() };
  return Buffer.from(JSON.stringify(file));
}

/** The master key in a key file; fails with `wrong-password` where the password doesn't open it. */
export async function openKeyFile(file: KeyFile, password: string | Uint8Array): Promise<RepositoryKey> {
  const user = await deriveKey(password, file);
  return parseMaster(unsealMaster(user, file.data));
}

function unsealMaster(user: RepositoryKey, data: Uint8Array): Uint8Array {
  if (data.length < sealOverhead) throw malformed('its sealed data is too short');
  try {
    return open(user, data);
  } catch (cause) {
    if (!hasCode(cause, 'damaged')) throw cause;
    throw new HoldfastError('wrong-password', 'the password does not open this key', { cause });
  }
}

/** Fails with `unsupported` for another key derivation than scrypt, with `damaged` for what is no key file. */
export function parseKeyFile(bytes: Uint8Array): KeyFile {
  const file = parseObject(bytes);
  if (file['kdf'] !== 'scrypt') {
    throw new HoldfastError(
      'unsupported',
      `a key file uses another key derivation than scrypt: ${JSON.stringify(file['kdf'])}`,
    );
  }
  return {
    // rustic leaves out what it doesn't know; to restic that is Go's zero value.
    created: optionalText(file, 'created', '0001-01-01T00:00:00Z'),
    username: optionalText(file, 'username', ''),
    hostname: optionalText(file, 'hostname', ''),
    N: count(file, 'N'),
    r: count(file, 'r'),
    p: count(file, 'p'),
    salt: binary(file, 'salt'),
    data: binary(file, 'data'),
  };
}

function parseMaster(json: Uint8Array): RepositoryKey {
  const file = parseObject(json);
  const mac = file['mac'];
  if (!isObject(mac)) throw malformed('"mac" is missing');
  return { encrypt: secret(file, 'encrypt', 32), macK: secret(mac, 'k', 16), macR: secret(mac, 'r', 16) };
}

/** As key files hold it inside their seal, and `restic cat masterkey` shows it. */
export function masterJson({ macK, macR, encrypt }: RepositoryKey): Buffer {
  return Buffer.from(JSON.stringify({ mac: { k: macK.toBase64(), r: macR.toBase64() }, encrypt: encrypt.toBase64() }));
}
