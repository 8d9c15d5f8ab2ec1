import assert from 'node:assert/strict';
import { test } from 'node:test';
import { allCommands } from './commands.ts';
import type { Runnable } from './command.ts';
import { flagName, valuesOf, type Given, type Option } from './option.ts';
import { aPolicy, assertHeeded, singleRepository, type By } from './ways.ts';

/**
 * What each command heeds beside a policy. An option that is new is refused there until it stands here and in the command's
 * definition: whoever adds one decides it twice.
 */
const besideAPolicy: Readonly<Record<string, string>> = {
  'init': '',
  'backup': 'all rule tag dryRun',
  'snapshots': 'points',
  'ls': 'at from long recursive humanReadable sort reverse ncdu',
  'find': 'at from oldest newest ignoreCase reverse long humanReadable blob tree pack showPackId',
  'diff': 'from metadata',
  'dump': 'at from archive target',
  'restore':
    'at lsn xid name latest immediate exclusive timeline tablespace inPlace delta withoutUndo noSafetyBackup asStandby into ' +
    'table schema as method database jobs noOwner noPrivileges switch target include iinclude includeFile iincludeFile ' +
    'exclude iexclude excludeFile iexcludeFile excludeXattr includeXattr delete overwrite dryRun verify sparse',
  'forget': 'all rule compact dryRun',
  'prune':
    'all repository dryRun instant deferred maxUnused maxRepackSize repackCacheableOnly repackSmallerThan repackSmall ' +
    'repackUncompressed discardJournals',
  'copy': 'all rule dryRun',
  'key list': 'repository',
  'key add': 'repository newPasswordFile newInsecureNoPassword user host',
  'key remove': 'repository',
  'key passwd': 'repository newPasswordFile newInsecureNoPassword user host',
  'unlock': 'repository removeAll',
};

/** What means something only by a policy. */
const byAPolicyAlone: Readonly<Record<string, string>> = {
  'backup': 'all rule',
  'snapshots': 'points',
  'ls': 'at from',
  'find': 'at from',
  'diff': 'from',
  'dump': 'at from',
  'restore':
    'at lsn xid name latest immediate exclusive timeline tablespace inPlace delta withoutUndo noSafetyBackup asStandby into ' +
    'table schema as method database jobs noOwner noPrivileges switch',
  'forget': 'all rule',
  'prune': 'all repository',
  'copy': 'all rule',
  'key list': 'repository',
  'key add': 'repository',
  'key remove': 'repository',
  'key passwd': 'repository',
  'unlock': 'repository',
};

/** Of commands that do several things by a policy: by the flags that say which, what else they heed. */
const byTheirFlags: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  verify: {
    '': 'all from do exclusive timeline',
    'latest': 'all do at lsn xid name latest immediate exclusive timeline',
  },
  records: { '': 'component kind since csv', 'verify': 'component verify' },
};

const words = (text: string): readonly string[] => text.split(' ').filter((word) => word !== '');
const sample = ({ takes, choices }: Option<unknown>): string => (takes === 'none' ? 'true' : (choices?.[0] ?? '7'));

/** As if these flags stood on the command line, and what else says where to work. */
function givenOf({ options }: Runnable, flags: readonly string[], by: By): Given {
  const all = [...flags, by === 'policy' ? 'config' : 'repo'];
  return (key) => {
    const isGiven = all.includes(key);
    const option = options[key];
    const texts = isGiven ? [option === undefined ? 'x' : sample(option)] : [];
    return { texts, label: flagName(key), origin: isGiven ? 'flag' : 'none' };
  };
}

/** Undefined where it is heeded. */
async function refusal(command: Runnable, flags: readonly string[], by: By): Promise<string | undefined> {
  const given = givenOf(command, flags, by);
  try {
    await assertHeeded(command, valuesOf(command.options, given), { given });
    return undefined;
  } catch (error) {
    assert.ok(error instanceof Error);
    return error.message;
  }
}

const commands = await allCommands();
const supported = ({ options }: Runnable): readonly string[] =>
  Object.keys(options).filter((key) => options[key]?.unsupported !== true);

async function assertHeeds(command: Runnable, by: By, heeded: readonly string[]): Promise<void> {
  for (const key of supported(command)) {
    const said = await refusal(command, [key], by);
    const what = `${command.name} ${flagName(key)} ${by}: ${said ?? 'heeded'}`;
    assert.equal(said === undefined, heeded.includes(key), what);
    if (said !== undefined) assert.ok(said.startsWith(`${command.name}: ${flagName(key)} can’t stand beside `), what);
  }
}

test('a flag that means nothing beside a policy, or without one, is refused by its name, of every command', async () => {
  const either = commands.filter(({ worksOn }) => worksOn === 'either');
  assert.deepEqual(either.map(({ name }) => name).toSorted(), Object.keys(besideAPolicy).toSorted());
  for (const command of either) {
    const ofPolicy = words(byAPolicyAlone[command.name] ?? '');
    await assertHeeds(command, 'policy', words(besideAPolicy[command.name] ?? ''));
    const others = supported(command).filter((key) => !ofPolicy.includes(key));
    await assertHeeds(command, 'repository', others);
  }
  const backup = either.find(({ name }) => name === 'backup') ?? assert.fail();
  assert.equal(
    await refusal(backup, ['exclude'], 'policy'),
    `backup: --exclude can’t stand beside ${aPolicy}; it is for ${singleRepository}`,
  );
});

test('a flag that means nothing beside another, by which a command does something else, is refused by its name', async () => {
  const several = commands.filter(({ worksOn, ways }) => worksOn !== 'either' && ways !== undefined);
  assert.deepEqual(several.map(({ name }) => name).toSorted(), Object.keys(byTheirFlags).toSorted());
  for (const command of several)
    for (const [flag, heeded] of Object.entries(byTheirFlags[command.name] ?? {}))
      for (const key of supported(command).filter((one) => flag !== '' || !decides(command, one))) {
        const said = await refusal(command, [key, ...words(flag)], 'policy');
        assert.equal(said === undefined, words(heeded).includes(key), `${command.name} ${flag} ${key}: ${said}`);
      }
});

/** Whether a flag says by itself which of its things the command does. */
function decides({ ways, options }: Runnable, key: string): boolean {
  const none = valuesOf(options, (name) => ({ texts: [], label: name, origin: 'none' }));
  const option = options[key];
  const one = option === undefined ? none : { ...none, [key]: option.parse([sample(option)], key) };
  return ways?.of(one, 'policy') !== ways?.of(none, 'policy');
}

test('what names a repository or a policy is refused where none is worked on', async () => {
  for (const command of commands) {
    const { worksOn, name } = command;
    const takesRepository = worksOn === 'a repository' || worksOn === 'either' || worksOn === 'anything';
    const takesPolicy = worksOn === 'a policy' || worksOn === 'either' || worksOn === 'anything';
    assert.equal((await refusal(command, [], 'repository')) === undefined, takesRepository, name);
    assert.equal((await refusal(command, [], 'policy')) === undefined, takesPolicy, name);
    if (worksOn === 'anything') continue;
    const password = await refusal(command, ['passwordFile'], 'policy');
    assert.ok(password !== undefined, `${name} -p beside a policy`);
  }
});
