import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { CopySplitter } from './copied-data.ts';

interface Message {
  readonly type: string;
  readonly text: string;
}

function encoded({ type, text }: Message): Buffer {
  const message = Buffer.alloc(5 + text.length);
  message.write(type, 0, 'latin1');
  message.writeUInt32BE(4 + text.length, 1);
  message.write(text, 5, 'latin1');
  return message;
}

/** What a splitter says of bytes that come in pieces of these sizes, again and again. */
function split(
  bytes: Buffer,
  sizes: readonly number[],
): { readonly copied: readonly string[]; readonly others: string } {
  const copied: string[] = [];
  const others: Buffer[] = [];
  const splitter = new CopySplitter((part) => void others.push(part));
  let message = '';
  splitter.receiver = {
    begin: () => void (message = ''),
    part: (part) => void (message += Buffer.from(part).toString('latin1')),
    end: () => void copied.push(message),
  };
  for (let at = 0, turn = 0; at < bytes.length; turn += 1) {
    const size = sizes[turn % sizes.length] ?? 1;
    splitter.take(bytes.subarray(at, at + size));
    at += size;
  }
  return { copied, others: Buffer.concat(others).toString('latin1') };
}

const message = fc.record({
  type: fc.constantFrom('d', 'd', 'D', 'N', 'c'),
  text: fc.string({ unit: 'binary-ascii' }),
});

test('copied data goes past the parser and everything else into it, wherever the socket cuts them', () => {
  const sizes = fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1, maxLength: 5 });
  fc.assert(
    fc.property(fc.array(message), sizes, (messages, pieces) => {
      const others = messages.filter(({ type }) => type !== 'd');
      assert.deepEqual(split(Buffer.concat(messages.map(encoded)), pieces), {
        copied: messages.filter(({ type }) => type === 'd').map(({ text }) => text),
        others: Buffer.concat(others.map(encoded)).toString('latin1'),
      });
    }),
    { numRuns: 300 },
  );
});

test('a message whose length is none ends it', () => {
  assert.throws(() => split(Buffer.from('d\0\0\0\x03xxxx', 'latin1'), [10]), /whose length is none/);
});
