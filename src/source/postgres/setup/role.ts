import { bySuperuser, fine, identifier, type Looked, type PlannedItem } from './planning.ts';

/** What the role may. A superuser may all of it; none is needed for backups. */
export function planRole({ facts, lettingIn }: Looked): readonly PlannedItem[] {
  const { role } = facts;
  if (role.kind === 'superuser') return [smallerRole(facts)];
  const name = identifier(role.name);
  return [
    replication(name, role.replicates || lettingIn.state === 'let in'),
    settings(facts, name),
    ...files(facts, name),
    ...included(facts),
  ];
}

function replication(name: string, replicates: boolean): PlannedItem {
  const item = 'role: REPLICATION';
  if (replicates) return fine(item, 'has it');
  return {
    name: item,
    state: 'by hand',
    found: 'lacks it',
    wanted: 'REPLICATION',
    why: 'base backups and the log come over the replication protocol',
    effect: 'at once',
    lines: bySuperuser(`alter role ${name} replication;`),
  };
}

function settings({ role, dataDirectory }: Looked['facts'], name: string): PlannedItem {
  const item = 'role: pg_read_all_settings';
  if (role.seesSettings && dataDirectory !== undefined) return fine(item, 'has it');
  return {
    name: item,
    state: 'by hand',
    found: 'lacks it',
    wanted: 'pg_read_all_settings',
    why: 'without it nobody sees where data directory and configuration stand, and each backup is one in part',
    effect: 'at once',
    lines: bySuperuser(`grant pg_read_all_settings to ${name};`),
  };
}

/** Only of use where there are such files. */
function files({ role, dataDirectory, configuration }: Looked['facts'], name: string): readonly PlannedItem[] {
  const elsewhere = configuration.filter(
    (file) => dataDirectory !== undefined && !file.startsWith(`${dataDirectory}/`),
  );
  if (elsewhere.length === 0) return [];
  const item = 'role: pg_read_server_files';
  if (role.readsFiles) return [fine(item, 'has it')];
  return [
    {
      name: item,
      state: 'by hand',
      found: `lacks it, and ${elsewhere.join(', ')} stand outside of the data directory`,
      wanted: 'pg_read_server_files',
      why: 'without it they are missing in each backup, which is one in part',
      effect: 'at once',
      lines: bySuperuser(
        `grant pg_read_server_files to ${name};`,
        `grant execute on function pg_read_binary_file(text), pg_stat_file(text) to ${name};`,
      ),
    },
  ];
}

/** What a superuser runs so that the role sees what files say, also of what has no effect now. */
export function seeingFiles(role: string): NonNullable<PlannedItem['lines']> {
  const name = identifier(role);
  return bySuperuser(
    `grant select on pg_file_settings to ${name};`,
    `grant execute on function pg_show_all_file_settings() to ${name};`,
  );
}

function included({ role, fileSettings, configuration, dataDirectory }: Looked['facts']): readonly PlannedItem[] {
  const isWithin = configuration.every((file) => dataDirectory !== undefined && file.startsWith(`${dataDirectory}/`));
  if (fileSettings !== undefined || isWithin) return [];
  return [
    {
      name: 'role: pg_file_settings',
      state: 'advice',
      found: 'may not read it',
      wanted: 'to read it',
      why: 'without it an included file of which no setting is in effect is not in backups',
      effect: 'at once',
      lines: seeingFiles(role.name),
    },
  ];
}

/** May neither change settings nor write: who may set archive_command runs what he likes as the user of the server. */
function smallerRole({ role, dataDirectory, configuration }: Looked['facts']): PlannedItem {
  const readsFiles = configuration.some((file) => !file.startsWith(`${dataDirectory}/`));
  const files = [
    'grant pg_read_server_files to holdfast;',
    'grant execute on function pg_read_binary_file(text), pg_stat_file(text) to holdfast;',
    ...seeingFiles('holdfast').text,
  ];
  return {
    name: 'role',
    state: 'advice',
    found: `${role.name}, a superuser`,
    wanted: 'a role for backups alone, once the server is set up',
    why: 'whoever gets hold of the address then reads the cluster, and can’t change it; --apply alone has use for more',
    effect: 'at once',
    lines: bySuperuser(
      'create role holdfast login replication;',
      '\\password holdfast',
      'grant pg_read_all_settings to holdfast;',
      ...(readsFiles ? files : []),
    ),
  };
}
