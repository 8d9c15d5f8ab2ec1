import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { stepWords } from './step-words.ts';

test('each step that a plan can have is told in words, with the paths and commands that it is about', () => {
  const source = readFileSync(new URL('../recovery/kinds.ts', import.meta.url), 'utf8');
  const kinds = [...source.matchAll(/^ {4}'([\w-]+)': \w+\(/gm)].map(([, kind = '']) => kind);
  assert.ok(kinds.length >= 15);
  const given = { path: '/srv/data', point: '60ae5e477a85', run: ['systemctl', 'stop', 'shop'], wanted: 'no' };
  for (const kind of kinds) assert.doesNotMatch(stepWords({ kind, arguments: given }), /\{/, kind);
  assert.equal(stepWords({ kind: 'restore', arguments: given }), 'restores point 60ae5e47 beside /srv/data');
  assert.equal(stepWords({ kind: 'command', arguments: given }), 'runs systemctl stop shop');
  assert.equal(stepWords({ kind: 'unheard-of', arguments: { a: 1 } }), 'unheard-of {"a":1}');
});
