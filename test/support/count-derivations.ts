/**
 * Loaded into a program before its own code (NODE_OPTIONS=--import=…), it writes a byte to the file COUNT_DERIVATIONS
 * for each key that the program derives of a password.
 */
import crypto from 'node:crypto';
import { appendFileSync } from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';

const file = process.env['COUNT_DERIVATIONS'] ?? '';
const { scrypt } = crypto;

crypto.scrypt = new Proxy(scrypt, {
  apply: (target, self, given): unknown => {
    appendFileSync(file, '.');
    return Reflect.apply(target, self, given);
  },
});
syncBuiltinESMExports();
