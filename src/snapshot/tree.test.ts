import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { linkSync, mkdirSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs';
import { test } from 'node:test';
import fc from 'fast-check';
import { parseBlobId, rawPath, rawPathOf, rawPathOfByteString, systemPath, type RawPath } from '../bytes/ids.ts';
import { zoneOf } from '../clock/zone.ts';
import { hasCode } from '../errors/error.ts';
import { makeSpecialNode } from '../host/mknod.ts';
import { setTimes } from '../host/times.ts';
import { setXattr } from '../host/xattr.ts';
import { resticOk, withoutRestic } from '../../test/servers/restic.ts';
import { tempDir } from '../../test/support/temp-dir.ts';
import { cheapRepository } from '../../test/support/two-tools.ts';
import type { TreeNode } from './entry.ts';
import { encodeTree } from '../../test/support/encode-tree.ts';
import { decodeTree } from './tree.ts';

const utc = zoneOf('UTC');
const someId = parseBlobId('ab'.repeat(32));

function bytes(text: string): Uint8Array {
  return Buffer.from(text, 'latin1');
}

function fileNode(name: string, more: Partial<TreeNode> = {}): TreeNode {
  return {
    name: rawPathOfByteString(name),
    type: 'file',
    mode: 0o644,
    mtimeNs: 1n,
    atimeNs: 1n,
    ctimeNs: 2n,
    uid: 0,
    gid: 0,
    user: '',
    group: '',
    inode: 0n,
    deviceId: 0n,
    sizeBytes: 0,
    links: 0n,
    content: [],
    ...more,
  };
}

/** Names whose bytes Go quotes in every way it knows, and code points from all over Unicode. */
function nastyNames(): readonly RawPath[] {
  const texts = [
    'a',
    'a b',
    '"',
    '\\',
    "'",
    '<&>',
    '\x01',
    '\x07\b\f\n\r\t\v',
    '\x7f',
    '\u2028',
    '\ufeff',
    '\ufffd',
    '\u00ad',
    '-',
  ];
  const codePoints = Array.from({ length: 300 }, (_none, n) => String.fromCodePoint(0x80 + n * 37));
  const high = Array.from({ length: 120 }, (_none, n) => String.fromCodePoint(0x10000 + n * 8737));
  const raw = ['\xff', '\xc3', 'a\xe2\x82', '\xed\xa0\x80', '\xf4\x90\x80\x80', '\xc0\xaf', 'x\xffé'];
  const named = [...texts, ...codePoints, ...high].filter((text) => text.isWellFormed()).map(rawPathOf);
  return [...named, ...raw.map((name) => rawPath(Buffer.from(name, 'latin1')))];
}

function makeNasty(folder: string): void {
  mkdirSync(folder);
  const at = (name: string): RawPath => rawPathOf(`${folder}/${name}`);
  for (const name of nastyNames()) writeFileSync(systemPath(rawPathOfByteString(`${rawPathOf(folder)}/${name}`)), name);
  mkdirSync(systemPath(at('dir')));
  mkdirSync(systemPath(at('dir.empty')), { mode: 0o1777 });
  writeFileSync(`${folder}/dir/setuid`, 'x', { mode: 0o4755 });
  linkSync(`${folder}/dir/setuid`, `${folder}/dir/linked`);
  symlinkSync('nowhere/<&>', `${folder}/dir/link`);
  symlinkSync(Buffer.from('raw\xff', 'latin1'), `${folder}/dir/link.raw`);
  makeSpecialNode(at('dir/fifo'), { kind: 'fifo' });
  writeFileSync(`${folder}/dir/attributes`, '');
  setXattr(at('dir/attributes'), 'user.z', Buffer.from([0, 255, 10]));
  setXattr(at('dir/attributes'), 'user.a', Buffer.alloc(0));
  truncateSync(`${folder}/dir/attributes`, 3_000_000);
  writeFileSync(`${folder}/dir/old`, '');
  setTimes(at('dir/old'), { atimeNs: -5n, mtimeNs: -1_234_567_890_123_456_789n });
}

/** Decodes and encodes the tree and all below it; returns how many. */
async function compareTrees(id: string, cat: (id: string) => Promise<string>): Promise<number> {
  const stored = Buffer.from(await cat(id), 'utf8');
  const nodes = [...decodeTree(stored)];
  const encoded = encodeTree(nodes, zoneOf('Europe/Kyiv'));
  assert.equal(Buffer.from(encoded).toString('latin1'), stored.toString('latin1'));
  assert.equal(createHash('sha256').update(encoded).digest('hex'), id);
  let count = 1;
  for (const { subtree } of nodes) if (subtree !== undefined) count += await compareTrees(subtree, cat);
  return count;
}

test('trees that restic made come out byte for byte', { skip: withoutRestic('0.19.1') }, async () => {
  await using dir = await tempDir();
  makeNasty(dir.file('source'));
  const at = { repository: dir.file('repository'), password: 'secret' };
  await cheapRepository(at.repository);
  await resticOk('0.19.1', at, ['backup', dir.file('source')], { env: { TZ: 'Europe/Kyiv' } });
  const snapshots: unknown = JSON.parse(await resticOk('0.19.1', at, ['snapshots', '--json']));
  const tree = /"tree":"([0-9a-f]{64})"/.exec(JSON.stringify(snapshots))?.[1] ?? '';
  const trees = await compareTrees(tree, (id) => resticOk('0.19.1', at, ['cat', 'blob', id]));
  assert.ok(trees >= 4, `${trees} trees`);
});

test('every field has its place and is left out when empty', () => {
  const full = fileNode('a', {
    user: 'ann<',
    group: 'staff',
    inode: 18_446_744_073_709_551_615n,
    deviceId: 5n,
    sizeBytes: 9,
    links: 2n,
    linkTarget: rawPathOfByteString('x\xff'),
    xattrs: [
      { name: 'user.b', value: Buffer.from('hi') },
      { name: 'user.a', value: null },
    ],
    genericAttributes: { 'windows.z': 'a', 'windows.creation_time': 18_446_744_073_709_551_615n },
    device: 7n,
    content: [someId, someId],
    subtree: someId,
    error: 'oops',
  });
  const expected =
    '{"nodes":[{"name":"a","type":"file","mode":420,"mtime":"1970-01-01T00:00:00.000000001Z",' +
    '"atime":"1970-01-01T00:00:00.000000001Z","ctime":"1970-01-01T00:00:00.000000002Z","uid":0,"gid":0,' +
    '"user":"ann\\u003c","group":"staff","inode":18446744073709551615,"device_id":5,"size":9,"links":2,' +
    '"linktarget":"x\\ufffd","linktarget_raw":"eP8=",' +
    '"extended_attributes":[{"name":"user.b","value":"aGk="},{"name":"user.a","value":null}],' +
    '"generic_attributes":{"windows.creation_time":18446744073709551615,"windows.z":"a"},' +
    `"device":7,"content":["${someId}","${someId}"],"subtree":"${someId}","error":"oops"}]}\n`;
  assert.equal(Buffer.from(encodeTree([full], utc)).toString('latin1'), expected);
  assert.deepEqual([...decodeTree(bytes(expected))], [full]);
  const empty = fileNode('a', { mode: 0, type: 'dir', content: null });
  assert.match(Buffer.from(encodeTree([empty], utc)).toString(), /"type":"dir","mtime":.*"gid":0,"content":null}]}\n$/);
});

test('any node comes back', () => {
  const text = fc.string({ unit: 'binary', maxLength: 8 }).map((value) => value.toWellFormed());
  const rawText = fc.uint8Array({ maxLength: 8 }).map((array) => Buffer.from(array).toString('latin1'));
  const name = rawText.filter((raw) => !['', '.', '..'].includes(raw) && !/[/\0]/.test(raw));
  const node = fc.record({
    name,
    mode: fc.nat(),
    mtimeNs: fc.bigInt({ min: -(10n ** 18n), max: 10n ** 18n }),
    user: text,
    inode: fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }),
    sizeBytes: fc.maxSafeNat(),
    linkTarget: rawText.filter((target) => target !== '').map(rawPathOfByteString),
    xattrs: fc.array(
      fc.record(
        { name: text, value: fc.uint8Array({ maxLength: 9 }).map((array) => Buffer.from(array)) },
        { noNullPrototype: true },
      ),
      { minLength: 1, maxLength: 3 },
    ),
    content: fc.array(fc.constant(someId), { maxLength: 3 }),
  });
  fc.assert(
    fc.property(node, (fields) => {
      const whole = fileNode(fields.name, { ...fields, name: rawPathOfByteString(fields.name) });
      assert.deepEqual([...decodeTree(encodeTree([whole], zoneOf('Asia/Kathmandu')))], [whole]);
    }),
    { numRuns: 500 },
  );
});

test('what a later version may add beside the nodes is passed over', () => {
  const json = '{ "first" : {"a":["}\\"]"]} , "nodes" : [ ] , "last":[1,{"b":null}], "end": true }\n';
  assert.deepEqual([...decodeTree(bytes(json))], []);
});

const node = (name: string, more = '"type":"file"'): string => `{"name":${JSON.stringify(name)},${more}}`;
const hostile: Readonly<Record<string, string>> = {
  'a name that climbs': `{"nodes":[${node('..')}]}`,
  'the directory itself': `{"nodes":[${node('.')}]}`,
  'an empty name': `{"nodes":[${node('')}]}`,
  'a slash': `{"nodes":[${node('a/b')}]}`,
  'a quoted slash': `{"nodes":[${node('a\\x2fb')}]}`,
  'a NUL': `{"nodes":[${node('a\\x00')}]}`,
  'no name': '{"nodes":[{"type":"file"}]}',
  'the same name twice': `{"nodes":[${node('a')},${node('a')}]}`,
  'names out of order': `{"nodes":[${node('b')},${node('a')}]}`,
  'names in UTF-16 order': `{"nodes":[${node('\u{1f600}')},${node('\uff5e')}]}`,
  'an unknown type': `{"nodes":[${node('a', '"type":"door"')}]}`,
  'a negative size': `{"nodes":[${node('a', '"type":"file","size":-1')}]}`,
  'an inode beyond 64 bits': `{"nodes":[${node('a', '"type":"file","inode":18446744073709551616')}]}`,
  'a fraction': `{"nodes":[${node('a', '"type":"file","uid":1.5')}]}`,
  'a text for a number': `{"nodes":[${node('a', '"type":"file","uid":"1"')}]}`,
  'a blob ID that climbs': `{"nodes":[${node('a', '"type":"file","content":["../../etc/passwd"]')}]}`,
  'attributes nested without end': `{"nodes":[${node('a', `"type":"file","generic_attributes":{"a":${'['.repeat(9999)}${']'.repeat(9999)}}`)}]}`,
  'a list for a node': '{"nodes":[[]]}',
  'no end': `{"nodes":[${node('a')}`,
  'no object': '[]',
  'nothing': '',
  'an unfinished string': '{"nodes":[{"name":"a',
  'no comma': `{"nodes":[${node('a')}${node('b')}]}`,
  'no nodes': '{"other":[]}',
};
for (const [what, json] of Object.entries(hostile)) {
  test(`a tree with ${what} is refused`, () => {
    assert.throws(
      () => [...decodeTree(Buffer.from(json, 'utf8'))],
      (error) => hasCode(error, 'damaged'),
    );
  });
}

test('any damage to a tree is either harmless or refused', () => {
  const sound = Buffer.from(encodeTree([fileNode('a', { content: [someId] }), fileNode('b', { user: 'ann' })], utc));
  fc.assert(
    fc.property(fc.nat(sound.length - 1), fc.nat(255), fc.boolean(), (at, byte, cut) => {
      const damaged = Buffer.from(cut ? sound.subarray(0, at) : sound);
      if (!cut) damaged[at] = byte;
      try {
        for (const { name } of decodeTree(damaged)) assert.ok(!/[/\0]/.test(name));
      } catch (error) {
        if (!hasCode(error, 'damaged')) throw error;
      }
    }),
    { numRuns: 3000 },
  );
});
