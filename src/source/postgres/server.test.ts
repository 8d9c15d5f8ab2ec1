import assert from 'node:assert/strict';
import { test } from 'node:test';
import { hasCode } from '../../errors/error.ts';
import type { ServerConnection } from './connect.ts';
import { serverFacts } from './server.ts';

/** A server that says only which one it is. */
function saying(number: string, version: string): ServerConnection {
  return {
    rows: async () => [
      ['server_version_num', number],
      ['server_version', version],
    ],
    command: () => {
      throw new Error('no command was expected');
    },
    converse: () => {
      throw new Error('no command was expected');
    },
    [Symbol.asyncDispose]: async () => undefined,
  };
}

for (const [number, version] of [
  ['130020', '13.20'],
  ['190000', '19beta1'],
  ['', 'none'],
] as const) {
  test(`PostgreSQL ${version} is refused by name`, async () => {
    await assert.rejects(
      serverFacts(saying(number, version)),
      (error) => hasCode(error, 'unsupported') && error.message.includes(version) && error.message.includes('14 to 18'),
    );
  });
}
