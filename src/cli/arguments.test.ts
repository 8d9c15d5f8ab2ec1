import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseArguments, splitCommand } from './arguments.ts';
import { globals } from './globals.ts';
import { choice, count, flag, list, text, unsupported, valuesOf, type Options, type Values } from './option.ts';

const names = new Set(['backup', 'snapshots', 'ls', 'key list', 'records', 'records attest']);

function words(...argv: readonly string[]): readonly string[] {
  return splitCommand(argv, globals, names).words;
}

test('the command stands after global options, with and without values', () => {
  assert.deepEqual(words('-r', 'backup', 'snapshots'), ['snapshots']);
  assert.deepEqual(words('-rbackup', 'snapshots'), ['snapshots']);
  assert.deepEqual(words('--repo=x', '-qv', 'key', 'list', 'x'), ['key', 'list']);
  assert.deepEqual(words('-qr', 'x', 'ls', 'latest'), ['ls']);
  assert.deepEqual(words('key', '-q', 'lisp'), ['key', 'lisp']);
  assert.deepEqual(words('-q', 'records', 'attest', 'x'), ['records', 'attest']);
  assert.deepEqual(words('records', '--component', 'attest'), ['records']);
  assert.deepEqual(words('records', 'atest'), ['records']);
  assert.deepEqual(words('--json'), []);
  assert.deepEqual(words('--', 'backup'), []);
  const split = splitCommand(['-v', 'backup', '--tag', 'backup', '/x'], globals, names);
  assert.deepEqual(split.rest, ['-v', '--tag', 'backup', '/x']);
});

const options = {
  dryRun: flag('', { short: 'n' }),
  exclude: list('pattern', '', { short: 'e' }),
  host: text('name', '', { short: 'H', environment: 'RESTIC_HOST' }),
  ignoreCtime: flag('', { environment: 'RESTIC_IGNORE_CTIME' }),
  mode: choice('mode', ['a', 'b'], ''),
  verbose: count('', { short: 'v' }),
  cacert: unsupported('one'),
} as const satisfies Options;

type Environment = Readonly<Record<string, string>>;

function parsed(
  args: readonly string[],
  environment: Environment = {},
): Values<typeof options> & { readonly operands: readonly string[] } {
  const { given, operands } = parseArguments(args, options, environment);
  return { ...valuesOf(options, given), operands };
}

test('options stand anywhere, short ones in clusters, values joined or apart', () => {
  const values = parsed(['/a', '-ne', '*.tmp', '--exclude=x', '-e=y', '-ez', '--host', '--json', '--', '-v', '/b']);
  assert.equal(values.dryRun, true);
  assert.deepEqual(values.exclude, ['*.tmp', 'x', 'y', 'z']);
  assert.equal(values.host, '--json');
  assert.deepEqual(values.operands, ['/a', '-v', '/b']);
});

test('verbosity counts, and takes a level', () => {
  assert.equal(parsed(['-v']).verbose, 1);
  assert.equal(parsed(['-vv', '--verbose']).verbose, 3);
  assert.equal(parsed(['--verbose=2']).verbose, 2);
});

test('a flag may be taken back', () => {
  assert.equal(parsed(['--dry-run=false']).dryRun, false);
  assert.throws(() => parsed(['--dry-run=maybe']), { code: 'usage' });
});

test('the environment gives what no flag gave', () => {
  assert.equal(parsed([], { RESTIC_HOST: 'env' }).host, 'env');
  assert.equal(parsed(['-H', 'flag'], { RESTIC_HOST: 'env' }).host, 'flag');
  assert.equal(parsed([], { RESTIC_HOST: '' }).host, undefined);
  assert.equal(parsed([], { RESTIC_IGNORE_CTIME: '1' }).ignoreCtime, true);
  assert.throws(() => parsed([], { RESTIC_IGNORE_CTIME: 'x' }), /RESTIC_IGNORE_CTIME/);
});

test('what can’t be understood is refused with the nearest right word', () => {
  assert.throws(() => parsed(['--exlude', 'x']), /unknown option --exlude; did you mean --exclude\?/);
  assert.throws(() => parsed(['-z']), /unknown option -z/);
  assert.throws(() => parsed(['--host']), /--host needs a value/);
  assert.throws(() => parsed(['--mode', 'c']), /--mode: "c" is not one of a, b/);
  assert.throws(() => parsed(['--cacert', 'x']), { code: 'unsupported' });
});
