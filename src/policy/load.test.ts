import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { samplePolicy } from '../../test/support/sample-policy.ts';
import { plain } from './document/located.ts';
import { readYaml } from './document/read-yaml.ts';
import { loadPolicy } from './load.ts';
import { problemLine, type Problem } from './problem.ts';

const errors = (text: string): readonly string[] =>
  loadPolicy(text)
    .problems.filter(({ severity }) => severity === 'error')
    .map((problem) => problemLine('p.yaml', problem));

test('a policy of every part holds; what is not built yet is called so by name', () => {
  const { policy, problems } = loadPolicy(samplePolicy);
  assert.deepEqual(Object.keys(policy?.components ?? {}), ['shop-db', 'uploads', 'legacy']);
  const later = problems.filter(({ severity }) => severity === 'not-built').map(({ place }) => place.path.join('.'));
  assert.deepEqual(later, ['notify']);
});

test('a mistake is told with line, column, the nearest right word and an example', () => {
  const mistakes = [
    [
      'tier: critical',
      'tire: critical',
      /^p\.yaml:14:5: components\.shop-db\.tire: unknown key; did you mean "tier"\?/,
    ],
    ['rpo: 2h', 'rpo: 2', /^p\.yaml:11:21: tiers\.important\.rpo: needs a length of time with its unit.* Example: 15m/],
    [
      'media: object',
      'media: objet',
      /^p\.yaml:\d+:\d+: repositories\.s3\.media: needs one of .*did you mean "object"/,
    ],
    ['every: 1h,', 'evry: 1h,', /components\.uploads\.backups\.hourly\.evry: unknown key; did you mean "every"/],
    ['keep: { last: 7 }', 'keep: {}', /components\.legacy\.backups\.nightly\.to\.local\.keep: says nothing to keep/],
    ['shop-db:', 'Shop_DB:', /components\.Shop_DB: is not a name/],
    ['from: nearest', 'from: nowhere', /verify\[0\]\.from: there is no such repository/],
    [
      'to: { local: { keep: { last',
      'to: { locl: { keep: { last',
      /to\.locl: there is no such repository; did you mean "local"/,
    ],
    ['at: "02:00"', 'at: "25:00"', /components\.shop-db\.backups\.full\.at: needs a time of day.* Example: 02:00/],
    ['cron: "0 1 * * *"', 'cron: "0 1 * *"', /nightly\.cron: needs five fields of cron/],
    ['timezone: UTC', 'timezone: Mars', /p\.yaml:3:11: timezone: needs a time zone/],
    ['version: 1', 'version: 2', /p\.yaml:2:10: version: needs one of 1/],
    ['components:', 'component:', /component: unknown key; did you mean "components"/],
    ['  legacy:', '  legacy:\n    restore: { stop: a }', /legacy\.restore: needs stop and start both/],
    [
      '  legacy:',
      '  legacy:\n    restore: { service: a, stop: a, start: b }',
      /restore\.stop: service and stop can’t stand together/,
    ],
    ['every: 1h,', 'every: 1h, at: "02:00",', /hourly\.every: at and every can’t stand together/],
  ] as const;
  for (const [right, wrong, message] of mistakes) {
    assert.ok(samplePolicy.includes(right), right);
    const told = errors(samplePolicy.replace(right, wrong));
    assert.ok(
      told.some((line) => message.test(line)),
      `${wrong}: ${told.join('\n')}`,
    );
  }
});

test('all mistakes are told at once, in the order of the file', () => {
  const wrong = samplePolicy
    .replace('rpo: 2h', 'rpo: 2')
    .replace('media: object', 'media: objet')
    .replace('every: 1h,', 'evry: 1h,');
  const lines = errors(wrong).map((line) => Number(line.split(':')[1]));
  assert.ok(lines.length >= 3);
  assert.deepEqual(
    lines,
    lines.toSorted((a, b) => a - b),
  );
});

test('a secret that stands in the file is refused and not repeated', () => {
  const canary = 'kanarienvogel';
  for (const password of [
    canary,
    `*${canary}`,
    `"${canary}"`,
    `{ env: [${canary}] }`,
    `{ text: ${canary} }`,
    `[${canary}]`,
  ]) {
    const told = errors(samplePolicy.replace('{ env: PASSWORD }', password)).join('\n');
    assert.notEqual(told, '');
    assert.ok(!told.includes(canary), told);
  }
  const url = errors(samplePolicy.replace('/backups/main', `rest:https://user:${canary}@host/`)).join('\n');
  assert.match(url, /a password in a URL/);
  assert.ok(!url.includes(canary));
});

test('what is no YAML, or too much of it, is told with its place', () => {
  assert.match(errors('version: [1')[0] ?? '', /^p\.yaml:1:\d+: /);
  assert.match(errors('a: 1\na: 2')[0] ?? '', /^p\.yaml:2:1: .*unique/);
  assert.match(errors('')[0] ?? '', /the file is empty/);
  const floors = ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h'];
  const bomb = floors.map(
    (name, at) =>
      `${name}: &${name} [${Array(9)
        .fill(at === 0 ? 'x' : `*${floors[at - 1]}`)
        .join(',')}]`,
  );
  assert.match(errors(bomb.join('\n'))[0] ?? '', /aliases make it too large/);
  assert.match(errors('x'.repeat(2_000_000))[0] ?? '', /larger than 1 MiB/);
});

test('whatever stands in the file, it is a policy or a list of problems with places', () => {
  const words = samplePolicy.split(/(?<=[\s{},:])/);
  let refused = 0;
  fc.assert(
    fc.property(
      fc.nat(words.length - 1),
      fc.nat(words.length - 1),
      fc.constantFrom('drop', 'swap', 'double'),
      (a, b, what) => {
        const changed = [...words];
        if (what === 'drop') changed.splice(a, 1);
        else if (what === 'double') changed.splice(a, 0, words[b] ?? '');
        else [changed[a], changed[b]] = [words[b] ?? '', words[a] ?? ''];
        const { policy, problems } = loadPolicy(changed.join(''));
        const isError = ({ severity }: Problem): boolean => severity === 'error';
        assert.equal(policy === undefined, problems.some(isError));
        for (const { place } of problems) assert.ok(place.line >= 1 && place.column >= 1);
        if (policy === undefined) refused += 1;
      },
    ),
    { numRuns: 150 },
  );
  assert.ok(refused > 15);
});

test('no file takes long or much, whatever is in it: aliases, keys, depth, mistakes', () => {
  const many = <T>(count: number, make: (n: number) => T): readonly T[] =>
    Array.from({ length: count }, (_, n) => make(n));
  const laughs = many(
    10,
    (n) => `${'bcdefghijk'[n]}: &${'bcdefghijk'[n]} [${many(10, () => `*${'abcdefghijk'[n]}`).join()}]`,
  );
  for (const text of [
    `a: &a x\nb: [${'*a,'.repeat(300_000)}]`,
    `a: &a [x]\n${laughs.join('\n')}`,
    'a: &a [*a]',
    many(90_000, (n) => `k${n}: &k${n} 1`).join('\n'),
    '['.repeat(20_000),
    '}\n'.repeat(20_000),
  ]) {
    const begun = process.cpuUsage();
    const { policy, problems } = loadPolicy(text);
    assert.equal(policy, undefined);
    assert.ok(problems.length > 0 && problems.length <= 1000, `${problems.length} problems`);
    // A second at most; walking the file for each alias or key took minutes.
    const { user, system } = process.cpuUsage(begun);
    assert.ok((user + system) / 1e6 < 30);
  }
});

test('an alias means the last anchor of its name before it', () => {
  const { root } = readYaml('a: &x 1\nb: &x { c: 2 }\nd: *x\ne: &x 3\nf: [*x, *x]');
  assert.deepEqual(root && plain(root), { a: 1, b: { c: 2 }, d: { c: 2 }, e: 3, f: [3, 3] });
  assert.notDeepEqual(readYaml('a: *later\nb: &later 1').problems, []);
});

test('keys that every object has are no keys of a policy', () => {
  for (const key of ['__proto__', 'constructor', 'toString']) {
    for (const text of [`${key}: { a: 1 }`, `components: { c: { ${key}: { a: 1 } } }`, `repositories: { ${key}: 1 }`])
      assert.equal(loadPolicy(`version: 1\n${text}\n`).policy, undefined);
  }
});

test('what is never due, or always, is refused', () => {
  for (const when of ['cron: "0 0 31 2 *"', 'every: 0h', 'every: 0d0s'])
    assert.match(errors(samplePolicy.replace('every: 1h,', `${when},`)).join(), /hourly/);
});
