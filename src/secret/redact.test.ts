import assert from 'node:assert/strict';
import { test } from 'node:test';
import { neverShow, neverShowEnvironment, withoutSecrets } from './redact.ts';
import { Secret } from './secret.ts';

test('a secret that was read is left out of what others say, in every form that they may give it', () => {
  const text = `"it's & <b>/ö+`;
  const secret = new Secret(text);
  const url = encodeURIComponent(text);
  const forms = [text, JSON.stringify(text), url, url.toLowerCase(), Buffer.from(text).toString('hex')];
  const logins = ['', 'u:', 'us:', 'use:'].map((user) => Buffer.from(`${user}${text}`).toString('base64'));
  for (const form of [...forms, text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;')])
    assert.match(withoutSecrets(`wrong: ${form}.`), /^wrong: "?\*\*\*"?\.$/, form);
  for (const login of logins) assert.match(withoutSecrets(`login ${login}`), /^login .{0,6}\*\*\*.{0,4}$/);
  assert.equal(secret.reveal(), text);
});

test('a key of several lines is left out line by line, and of two the longer one whole', () => {
  neverShow('-----BEGIN-----\nMIIBOQIBAAJB\n-----END-----');
  assert.equal(withoutSecrets('bad line MIIBOQIBAAJB'), 'bad line ***');
  neverShow('tiger');
  neverShow('tiger-and-lion');
  assert.equal(withoutSecrets('tiger-and-lion tiger'), '*** ***');
});

test('what looks like a login or a password is left out, known or not', () => {
  assert.equal(withoutSecrets('at postgres://ann:b/c@h/db?x'), 'at postgres://ann:***@h/db?x');
  assert.equal(withoutSecrets('PGPASSWORD=x1 --password="y" --db=shop'), 'PGPASSWORD=*** --password=***" --db=shop');
  assert.equal(withoutSecrets('"authorization":"Basic YW5uOmI=",'), '"authorization":"Basic ***",');
  const plain = 'FATAL: password authentication failed for user "ann" at https://h:5432/db (the token is old)';
  assert.equal(withoutSecrets(plain), plain);
});

test('of the environment what its name calls secret is left out, and no path', () => {
  neverShowEnvironment({ APP_TOKEN: 'abcdefgh12', APP_PASSWORD_FILE: '/etc/app/password', APP_NAME: 'shop-front' });
  assert.equal(withoutSecrets('abcdefgh12 /etc/app/password shop-front'), '*** /etc/app/password shop-front');
});
