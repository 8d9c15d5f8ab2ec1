import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import fc from 'fast-check';
import { hasCode } from '../errors/error.ts';
import { goJsonString } from './go-json.ts';
import { quoteGo, unquoteGo } from './go-quote.ts';
import { utf8Bytes } from './utf8.ts';

/** From `go run scripts/go/printable.go digest`. */
const everyCodePoint = '4431052ee3ec62f4b6cbbc0280ef7866d599d1744769e61f8cbdbec216dd114b';

test('every code point is quoted as Go quotes it, and comes back', () => {
  const hash = createHash('sha256');
  for (let codePoint = 0; codePoint <= 0x10ffff; codePoint += 1) {
    const surrogate = codePoint >= 0xd800 && codePoint <= 0xdfff;
    const bytes = utf8Bytes(String.fromCodePoint(surrogate ? 0xfffd : codePoint));
    const quoted = quoteGo(bytes);
    if (unquoteGo(quoted) !== bytes) assert.fail(`U+${codePoint.toString(16)} does not come back from ${quoted}`);
    hash.update(`${goJsonString(quoted)}\n`, 'latin1');
  }
  assert.equal(hash.digest('hex'), everyCodePoint);
});

test('any bytes come back from their quoted form', () => {
  const bytes = fc.uint8Array({ maxLength: 40 }).map((array) => Buffer.from(array).toString('latin1'));
  fc.assert(
    fc.property(bytes, (name) => {
      const quoted = quoteGo(name);
      assert.ok(!/[\x00-\x1f\x7f]/.test(quoted));
      assert.equal(unquoteGo(quoted), name);
    }),
    { numRuns: 2000 },
  );
});

test('bytes that are not UTF-8 are quoted one by one', () => {
  assert.equal(quoteGo('a\xff\xe2\x82z'), 'a\\xff\\xe2\\x82z');
  assert.equal(quoteGo('\xed\xa0\x80'), '\\xed\\xa0\\x80');
  assert.equal(quoteGo('\xc0\xaf'), '\\xc0\\xaf');
});

test('escapes that Go knows but never writes are understood', () => {
  assert.equal(unquoteGo('\\101\\x41\\u0041\\U00000041'), 'AAAA');
  assert.equal(unquoteGo('\\377'), '\xff');
  assert.equal(unquoteGo("'"), "'");
});

for (const hostile of [
  '"',
  '\n',
  '\\',
  '\\z',
  "\\'",
  '\\x1',
  '\\xg0',
  '\\u12',
  '\\ud800',
  '\\U00110000',
  '\\400',
  '\\18',
]) {
  test(`${JSON.stringify(hostile)} is refused as Go refuses it`, () => {
    assert.throws(
      () => unquoteGo(hostile),
      (error) => hasCode(error, 'damaged'),
    );
  });
}
