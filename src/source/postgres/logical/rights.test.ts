import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Event } from '../../../events/events.ts';
import type { ServerConnection } from '../connect.ts';
import { warnOfRights } from './rights.ts';

/** A server that says only what its role is. */
function as(isSuperuser: string): ServerConnection {
  const unasked = (): never => assert.fail('no command was expected');
  return {
    ...{ rows: async () => [[isSuperuser]], command: unasked, converse: unasked },
    [Symbol.asyncDispose]: async () => undefined,
  };
}

test('whoever loads as a superuser is warned that what comes with the tables runs with all its rights', async () => {
  const events: Event[] = [];
  const listener = (event: Event): void => void events.push(event);
  await warnOfRights(as('off'), { component: 'shop-db', listener });
  assert.equal(events.length, 0);
  await warnOfRights(as('on'), { component: 'shop-db', listener });
  const [event] = events;
  assert.ok(event?.kind === 'warning' && event.item === 'shop-db');
  assert.match(event.message, /superuser: .* is run with all rights there/);
});
