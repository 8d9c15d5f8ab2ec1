import assert from 'node:assert/strict';
import { test } from 'node:test';
import { duplicates, linesOf } from './duplicates.ts';

function block(length: number): string {
  return Array.from({ length }, (_, index) => `call(${index});`).join('\n');
}

test('twelve equal lines in two files are found once, whatever their indentation', () => {
  const indented = block(20).replaceAll(/^/gm, '    ');
  assert.deepEqual(duplicates([linesOf('a.ts', block(20)), linesOf('b.ts', `first();\n\n${indented}`)]), [
    'b.ts:3 repeats 12 lines of a.ts:1',
  ]);
});

test('eleven equal lines, imports and brackets are no duplicate', () => {
  const imports = Array.from({ length: 20 }, (_, index) => `import { x${index} } from './x.ts';`).join('\n');
  const brackets = '}\n'.repeat(20);
  const text = `${imports}\n${brackets}${block(11)}`;
  assert.deepEqual(duplicates([linesOf('a.ts', text), linesOf('b.ts', text)]), []);
});
