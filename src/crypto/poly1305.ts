import { createMac } from 'node:crypto';

// Node has this since 26; @types/node doesn't know it yet.
declare module 'node:crypto' {
  interface Mac {
    update(data: Uint8Array): this;
    final(): Buffer;
  }
  function createMac(algorithm: 'poly1305', key: Uint8Array): Mac;
}

export const macLength = 16;

/** Poly1305 (RFC 8439, section 2.5) under a one-time key `r ‖ s` of 32 bytes; r is clamped by the algorithm. */
export function poly1305(oneTimeKey: Uint8Array, message: Uint8Array): Buffer {
  return createMac('poly1305', oneTimeKey).update(message).final();
}
