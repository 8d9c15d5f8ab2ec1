import { createPrivateKey, createPublicKey, generateKeyPairSync, sign, verify, type KeyObject } from 'node:crypto';
import { HoldfastError } from '../errors/error.ts';

/** An ed25519 key that signs. Its private half never leaves this object but as PEM, for the file that keeps it. */
export interface Signer {
  /** The public key, 32 bytes in base64. */
  readonly publicKey: string;
  /** 64 bytes in base64. */
  sign(message: Uint8Array): string;
}

export function newSignerPem(): string {
  const { privateKey } = generateKeyPairSync('ed25519');
  return privateKey.export({ format: 'pem', type: 'pkcs8' }).toString();
}

/** 'damaged' when it is no ed25519 key; nothing of it is told. */
export function signerFromPem(pem: string): Signer {
  const key = privateKeyOf(pem);
  const { x = '' } = createPublicKey(key).export({ format: 'jwk' });
  const publicKey = Buffer.from(x, 'base64url').toString('base64');
  return { publicKey, sign: (message) => sign(null, message, key).toString('base64') };
}

function privateKeyOf(pem: string): KeyObject {
  try {
    const key = createPrivateKey(pem);
    if (key.asymmetricKeyType === 'ed25519') return key;
  } catch {
    // Its words might quote the file.
  }
  throw new HoldfastError('damaged', 'the signing key is no ed25519 key');
}

/** False also when key or signature have no right form. */
export function isSignedBy(publicKey: string, message: Uint8Array, signature: string): boolean {
  try {
    const x = Buffer.from(publicKey, 'base64').toString('base64url');
    const key = createPublicKey({ key: { kty: 'OKP', crv: 'Ed25519', x }, format: 'jwk' });
    return verify(null, message, key, Buffer.from(signature, 'base64'));
  } catch {
    return false;
  }
}
