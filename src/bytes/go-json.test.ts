import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { goJsonString, goJsonValue, parseGoJson } from './go-json.ts';
import { isUtf8, utf8Bytes } from './utf8.ts';

test('strings carry the escapes that Go writes', () => {
  assert.equal(goJsonString('a<b>&"\\/'), '"a\\u003cb\\u003e\\u0026\\"\\\\/"');
  assert.equal(goJsonString('\b\f\n\r\t\x00\x1f\x7f'), '"\\b\\f\\n\\r\\t\\u0000\\u001f\x7f"');
  assert.equal(goJsonString(utf8Bytes('\u2028\u2029é')), `"\\u2028\\u2029${utf8Bytes('é')}"`);
  assert.equal(goJsonString('\xff\xe2\x82'), '"\\ufffd\\ufffd\\ufffd"');
});

test('any text comes back through a JSON parser', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary', maxLength: 40 }), (text) => {
      const json = Buffer.from(goJsonString(utf8Bytes(text)), 'latin1').toString('utf8');
      assert.equal(JSON.parse(json), text);
    }),
    { numRuns: 2000 },
  );
});

test('bytes are UTF-8 exactly when a strict decoder takes them', () => {
  const strict = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
  const piece = fc.oneof(
    fc.string({ unit: 'binary', maxLength: 4 }).map(utf8Bytes),
    fc.uint8Array({ maxLength: 3 }).map((a) => Buffer.from(a).toString('latin1')),
  );
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 4 }), (pieces) => {
      const bytes = pieces.join('');
      const decodes = (): string => strict.decode(Buffer.from(bytes, 'latin1'));
      if (isUtf8(bytes)) assert.doesNotThrow(decodes);
      else assert.throws(decodes);
    }),
    { numRuns: 3000 },
  );
});

test('values are written without blanks, members in their order', () => {
  assert.equal(
    goJsonValue({ z: [1, null, true, 'a<'], a: { b: 18_446_744_073_709_551_615n } }),
    '{"z":[1,null,true,"a\\u003c"],"a":{"b":18446744073709551615}}',
  );
});

test('whole numbers beyond 2^53 keep every bit', () => {
  assert.deepEqual(
    parseGoJson('{"inode":18446744073709551615,"size":12,"list":[9007199254740993,-9007199254740993]}'),
    {
      inode: 18_446_744_073_709_551_615n,
      size: 12,
      list: [9_007_199_254_740_993n, -9_007_199_254_740_993n],
    },
  );
  assert.deepEqual(parseGoJson('{"x":9007199254740991,"y":1.5e300,"z":"9007199254740993"}'), {
    x: 9_007_199_254_740_991,
    y: 1.5e300,
    z: '9007199254740993',
  });
});
