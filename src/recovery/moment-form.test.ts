import assert from 'node:assert/strict';
import { test } from 'node:test';
import { goesToMoment, wantedFields, wantedIn } from './moment-form.ts';
import { step } from './steps.ts';

const latest = { moment: { kind: 'latest' }, edge: 'included', otherwise: 'a snapshot' } as const;

test('the timeline that a plan follows unasked is held by it, and asked for by nobody who goes on with it', () => {
  const fields = wantedFields({ ...latest, standing: 3 });
  assert.deepEqual(wantedIn(fields, 'replay'), { ...latest, epoch: undefined, standing: 3 });
  const plan = { steps: [step('replay', 'replay', fields)] };
  const whole = { version: 1, title: '', component: 'shop-db', made: '', by: '', ...plan } as const;
  assert.equal(goesToMoment(whole, latest), true);
  assert.equal(goesToMoment(whole, { ...latest, epoch: 3 }), false);
  const earlier = wantedFields(latest);
  assert.deepEqual(wantedIn(earlier, 'replay').standing, undefined, 'a plan of an earlier version has none');
});
