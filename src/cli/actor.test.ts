import assert from 'node:assert/strict';
import { test } from 'node:test';
import { absent } from '../../test/absences.ts';
import { currentUser } from '../host/users.ts';
import { actorOf, person } from './actor.ts';

test('who came over SSH is recorded with the address that it came from', () => {
  const id = person({ environment: {} });
  for (const [environment, ip] of [
    [{ SSH_CONNECTION: '192.0.2.7 50022 192.0.2.1 22', SSH_CLIENT: '192.0.2.8 50022 22' }, '192.0.2.7'],
    [{ SSH_CLIENT: '2001:db8::7 50022 22' }, '2001:db8::7'],
  ] as const)
    assert.deepEqual(actorOf({ environment }), { id, via: 'cli', ip });
});

test('what is no address is not recorded as one', () => {
  for (const SSH_CONNECTION of [undefined, '', 'UNKNOWN 65535 UNKNOWN 65535', '=cmd() 1 2 3'])
    assert.equal(actorOf({ environment: { SSH_CONNECTION } }).ip, undefined);
});

test('under sudo the person is who called it', { skip: currentUser().uid === 0 ? false : absent('root') }, () => {
  assert.equal(person({ environment: { SUDO_USER: 'ann' } }), 'ann');
});
