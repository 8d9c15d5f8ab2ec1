import assert from 'node:assert/strict';
import { test } from 'node:test';
import { capabilityVerdict } from './capabilities.ts';

function findings(...rows: readonly string[]): readonly string[] {
  const page = `# Page\n\n| capability | state | test |\n| --- | --- | --- |\n${rows.join('\n')}\n`;
  const files: Readonly<Record<string, string>> = {
    'src/a.test.ts': `test('cuts', …); test('isn\\'t lost', …); test(\`\${driver}: puts\`, …)`,
  };
  return capabilityVerdict(page, (path) => files[path]).findings;
}

test('a row that works names a test that stands in its file, quotes and templates included', () => {
  assert.deepEqual(
    findings(
      '| a | works | src/a.test.ts :: cuts |',
      "| b \\| c | partly | src/a.test.ts :: isn't lost<br>src/a.test.ts :: ${driver}: puts |",
      '| d | unsupported | |',
    ),
    [],
  );
});

test('a row that works without a test, or names a missing file or title, is found', () => {
  assert.deepEqual(
    findings(
      '| a | works | |',
      '| b | works | src/b.test.ts :: cuts |',
      '| c | partly | src/a.test.ts :: cut |',
      '| d | works | src/a.test.ts |',
    ),
    [
      'a: names no test',
      'b: src/b.test.ts is no test file',
      'c: src/a.test.ts has no test "cut"',
      'd: src/a.test.ts has no test ""',
    ],
  );
});

test('a state that is none of the three is found', () => {
  assert.equal(findings('| a | building | src/a.test.ts :: cuts |').length, 1);
});
