import assert from 'node:assert/strict';
import { test } from 'node:test';
import { samplePolicy } from '../../test/support/sample-policy.ts';
import { loadPolicy } from './load.ts';
import { problemLine } from './problem.ts';

/** What is told of the sample once something in it is changed. */
function told(...changes: readonly (readonly [string, string])[]): readonly string[] {
  const text = changes.reduce((before, [from, to]) => {
    assert.ok(before.includes(from), from);
    return before.replace(from, to);
  }, samplePolicy);
  return loadPolicy(text)
    .problems.filter(({ severity }) => severity !== 'not-built')
    .map((problem) => problemLine('p.yaml', problem));
}

test('an interval above the RPO is refused', () => {
  assert.match(
    told(['every: 1h, to: { s3', 'every: 3h, to: { s3']).join('\n'),
    /components\.uploads: the tier important wants an RPO of 2h, and its backups are 3 h apart/,
  );
  assert.match(told(['every: 1h, to: { s3', 'on: change, to: { s3']).join('\n'), /nothing runs by the clock/);
});

test('a log stands for its stream or its segments', () => {
  const log = 'log: { mode: stream, to';
  assert.deepEqual(
    told([log, 'log: { mode: archive, every: 15m, to']).filter((line) => /RPO/.test(line)),
    [],
  );
  assert.match(
    told([log, 'log: { mode: archive, every: 20m, to']).join('\n'),
    /RPO of 15m, and its backups are 20 min apart/,
  );
});

test('copies, media, sites and locks that no rule reaches are refused', () => {
  const to = 's3: { keep: { daily: 30, weekly: 12, monthly: 12, yearly: 7 } } } }';
  const all = told([`, ${to}`, ' } }']).join('\n');
  for (const what of ['copies: 3', 'immutable: 1'])
    assert.match(all, new RegExp(`wants ${what}, and no rule reaches more than`));
  assert.match(told(['offsite: 1', 'offsite: 3']).join('\n'), /offsite: 3, and no rule reaches more than 2/);
  assert.match(told(['offsite: 1', 'offsite: 2'], ['site: office\n', '']).join('\n'), /say `site:`/);
});

test('a proof that no verification makes often enough is refused; that only some copies are proven is warned of', () => {
  assert.match(
    told(['proof: 1d', 'proof: 12h']).join('\n'),
    /wants proof: 12h, and restores are verified only every 1 d/,
  );
  assert.match(told(['do: restore', 'do: data']).join('\n'), /wants proof: 1d, and no verification restores it/);
  assert.match(told().join('\n'), /warning: .*proof-each: 30d/);
  assert.deepEqual(told(['from: nearest', 'from: each']), []);
});

test('a verification of an archive, or of a place without backups, is refused', () => {
  assert.match(told(['from: nearest', 'from: cold']).join('\n'), /cold is archived/);
  const structure = told(['{ every: 1w, do: sample, tables: 1 }', '{ every: 1w, do: structure, from: cold }']);
  assert.deepEqual(structure, told());
  const without = '    backups: { hourly: { every: 1h, to: { s3: { keep: { within: 90d } } } } }';
  const verified = `${without}\n    verify: [{ every: 1d, from: local }]`;
  assert.match(told([without, verified]).join('\n'), /no rule of this component brings anything to local/);
});

test('a log over REST is refused', () => {
  assert.match(told(['/backups/main', 'rest:http://host/']).join('\n'), /log\.to\.local: local can’t hold a log/);
});

test('one address under two names is refused', () => {
  assert.match(
    told(['"s3:https://s3.example.org/acme-cold"', '"local:/backups/main/"']).join('\n'),
    /is the address of local/,
  );
});

test('keeping for less than the lock is warned of with what it costs, and refused when strict', () => {
  const change = ['keep: { within: 90d }', 'keep: { within: 10d }'] as const;
  const warning = told(change).find((line) => /keeps for/.test(line)) ?? '';
  assert.match(warning, /warning: .*keeps for 10 d what s3 locks for 30 d: it stays, and costs about 3\.0 times/);
  const strict = loadPolicy(samplePolicy.replace('version: 1', 'version: 1\nstrict: true').replace(...change));
  assert.equal(strict.policy, undefined);
});

test('templates and defaults are joined; lists and values are replaced; where each comes from is known', () => {
  const text = `
version: 1
repositories: { local: { url: /b, password: { env: P } }, other: { url: /c, password: { env: P } } }
defaults:
  backups: { nightly: { at: "01:00", to: { local: { keep: { daily: 7 } } } } }
templates:
  web: { files: { paths: [/srv], exclude: [a, b] }, backups: { nightly: { to: { other: { keep: { daily: 3 } } } } } }
  spare: { files: { paths: [/x] } }
components:
  shop: { template: web, files: { exclude: [c] } }
  wiki: { template: wob, files: { paths: [/wiki] } }
`;
  const right = loadPolicy(text.replace('wob', 'web'));
  const shop = right.policy?.components['shop'];
  assert.deepEqual(shop?.source.options, {
    'paths': ['/srv'],
    'exclude': ['c'],
    'exclude-caches': false,
    'one-file-system': false,
    'allow-empty': false,
  });
  assert.deepEqual(Object.keys(shop?.backups['nightly']?.to ?? {}), ['local', 'other']);
  assert.deepEqual(
    right.problems.map((problem) => problemLine('p', problem)),
    ['p:8:3: warning: templates.spare: no component takes this template, so it was not checked'],
  );
  assert.match(
    loadPolicy(text)
      .problems.map((problem) => problemLine('p', problem))
      .join('\n'),
    /p:11:21: components\.wiki\.template: there is no such template; did you mean "web"\?/,
  );
});

test('a method that the kind of component does not have is refused, with the nearest that it has', () => {
  const all = told(['method: logical', 'method: logicl']).join('\n');
  assert.match(all, /components\.shop-db\.backups\.cold\.method: there is no such method.*logical/s);
});

test('a window that reaches further back than backups are kept, or that has no effect, is warned of', () => {
  const [window, method] = ['local: { window: 24h }', 'method: physical, '];
  assert.match(
    told([window, 'local: { window: 60d }']).join('\n'),
    /warning: .*window: reaches back 60 d, and `keep` holds the backups in local for .*: those that the window needs stay longer/,
  );
  assert.match(told([window, 'local: { window: 1h }']).join('\n'), /warning: .*window: has no effect below 1 d/);
  const logical = told([method, 'method: logical, ']).join('\n');
  assert.match(logical, /window: is in vain: no rule makes backups from which a log is replayed/);
});
