import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { test } from 'node:test';
import { canaryOf, Search } from './support/canary/canaries.ts';
import { canaryScene } from './support/canary/scene.ts';
import { served } from './support/served.ts';
import { tempDir } from './support/temp-dir.ts';

const plain = canaryOf('typed into the policy', 'plain');
const signs = canaryOf('typed with its signs into the policy');
const search = new Search([plain, signs]);
const { core, value } = { core: plain.core, value: signs.value };
const quoted = JSON.stringify(value);

/** How somebody who has not understood references writes a secret, or hits a key too many. */
const mistakes: readonly string[] = [
  ...[core, quoted, `'${value.replaceAll("'", "''")}'`, `{ ${core} }`, `{ ${core}: }`, `{ ${quoted}: x }`],
  ...[
    `[${core}]`,
    `{ env: ${core} }`,
    `{ env: ${quoted} }`,
    `{ env: [${core}] }`,
    `{ file: ${core} }`,
    `{ file: ${quoted} }`,
  ],
  ...[
    `{ file: { ${core}: ${core} } }`,
    `{ command: ${core} }`,
    `{ command: ${quoted} }`,
    `{ command: "echo '${core}" }`,
  ],
  ...[
    `{ credential: ${core} }`,
    `{ credential: ../${core} }`,
    `{ env: A, ${core}: B }`,
    `{ env: ${core}, file: /${core} }`,
  ],
  ...[`*${core}`, `&${core}`, `!${core} x`, `!!${core} x`, `@${core}`, `%${core}`, `|${core}`, `>-${core}`],
  ...[
    `"\\${core}"`,
    `"${core}`,
    `'${core}`,
    `{ env: ${core}`,
    `- ${core}`,
    `? ${core}`,
    `a: b: ${core}`,
    `${core}: ${core}`,
  ],
  ...[
    `!!int ${core}`,
    `!!float ${core}`,
    `!!binary ${core}`,
    `!!set ${core}`,
    `{ <<: ${core} }`,
    `{ ? ${core} : x }`,
    `{ [${core}]: x }`,
  ],
  ...[`\u0000${core}`, `\t${core}`, `"${core}" ${core}`, `{ env: A } ${core}`, `${core}:${core}@x`],
];

/** What of the policy a mistake stands in place of. */
const places: Readonly<Record<string, RegExp>> = {
  'the password': /\{ env: BUCKET_PASSWORD \}/,
  'a key’s ID': /\{ env: WRITER_ID \}/,
  'a session token': /\{ env: WRITER_TOKEN \}/,
  'who removes': /\{ env: REMOVER_KEY \}/,
  'all credentials': /\{ key-id: .* \}$/m,
  'a whole repository': /\{ url: .*, password: \{ env: SAFE_PASSWORD \} \}$/m,
  'who is told': /\{ env: SMTP_URL \}/,
};

const commands = [
  ['config', 'check'],
  ['backup', 'nowhere'],
  ['config', 'explain'],
  ['config', 'sheet'],
  ['config', 'check', '--json'],
];

for (const [place, pattern] of Object.entries(places)) {
  test(`a secret that stands in the policy itself is not repeated: ${place}`, async () => {
    await using dir = await tempDir();
    const { policy, env, args } = await canaryScene(dir, 'http://127.0.0.1:1');
    for (const [index, mistake] of mistakes.entries()) {
      const text = policy.replace(pattern, () => mistake);
      assert.notEqual(text, policy);
      await writeFile(dir.file('holdfast.yaml'), text);
      const asked = commands[index % commands.length] ?? [];
      const { stdout, stderr } = await served({ args: [...args, ...asked], env, cwd: dir.path, pauses: 'none' });
      const told = `${stdout.toString()}${stderr}`;
      assert.deepEqual(search.in(`what is said of ${mistake}`, told), []);
    }
  });
}

const addresses: readonly string[] = [
  ...['rest:http://ann:S@127.0.0.1:1/', 'rest:http://:S@127.0.0.1:1/', 'rest:https://ann:a/S@h/', 'rest:ann:S@h'],
  ...['s3:https://ann:S@h/b', 's3:http://ann:a/S@h/b', 's3:ann:S@h/b', 's3://ann:S@h/b', 's3:https://ann:S'],
  ...['sftp:ann:S@h:/srv', 'sftp://ann:S@h/srv', 'sftp://ann:S@h:22/srv', 'sftp://ann:a/S@h/srv'],
  ...['rclone::s3,secret_access_key=S:b', 'rclone::sftp,pass="S",host=h:b', 'rclone:r,token=S:b'],
  ...['swift:ann:S@h', 'https://ann:S@h/b', 'azure:c:/?sig=S', 'rest:http://h/?token=S'],
];

test('a secret in an address is not repeated, in a policy or by -r', async () => {
  await using dir = await tempDir();
  const { policy, env, args } = await canaryScene(dir, 'http://127.0.0.1:1');
  for (const pattern of addresses) {
    const address = pattern.replace('S', core);
    const text = policy.replace(`url: ${dir.file('safe')}`, () => `url: '${address}'`);
    await writeFile(dir.file('holdfast.yaml'), text);
    const own = { ...env, RESTIC_REPOSITORY: address, RESTIC_PASSWORD: 'another' };
    const lines = [
      ['config', 'check'],
      ['config', 'sheet'],
      ['backup', 'broken'],
      ['-r', address, 'snapshots'],
      ['cat', 'config'],
    ];
    for (const line of lines) {
      const byPolicy = line[0] !== '-r' && line[0] !== 'cat';
      const asked = { args: [...args, '-vv', '-o', 'rclone.program=false', ...line], env: byPolicy ? env : own };
      const { stdout, stderr } = await served({ ...asked, cwd: dir.path, pauses: 'none' });
      assert.deepEqual(search.in(`what ${line.join(' ')} says of ${address}`, `${stdout.toString()}${stderr}`), []);
    }
  }
});
