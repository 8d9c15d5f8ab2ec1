import assert from 'node:assert/strict';
import { test } from 'node:test';
import { serverFacts } from '../../../../test/support/server-facts.ts';
import type { SetupWanted } from '../../setup.ts';
import { planArchiving } from './archiving.ts';
import type { Setting, SetupFacts } from './facts.ts';
import type { Looked, PlannedItem } from './planning.ts';
import { planHostReading } from './host-reading.ts';
import { planReplication } from './replication.ts';
import { planSafety } from './safety.ts';
import { planStreaming } from './streaming.ts';

/** As most servers are. */
const usual = {
  wal_level: 'replica',
  max_wal_senders: '10',
  max_replication_slots: '10',
  max_slot_wal_keep_size: '1024',
  idle_replication_slot_timeout: '0',
  archive_mode: 'on',
  archive_command: '',
  archive_library: '',
  archive_timeout: '0',
  full_page_writes: 'on',
  fsync: 'on',
  allow_alter_system: 'on',
  config_file: '/etc/pg/postgresql.conf',
  hba_file: '/etc/pg/pg_hba.conf',
} as const;

interface Given {
  readonly settings?: Readonly<Record<string, string | Partial<Setting>>>;
  readonly facts?: Partial<SetupFacts>;
  readonly looked?: Partial<Looked>;
  readonly log?: SetupWanted['log'];
}

function looked({ settings = {}, facts = {}, looked: more = {}, log }: Given): Looked {
  const setting = (value: string | Partial<Setting>): Setting => {
    const known = { value: '', source: 'configuration file', pending: false, mayAlter: true };
    return typeof value === 'string' ? { ...known, value } : { ...known, ...value };
  };
  const all = Object.entries<string | Partial<Setting>>({ ...usual, ...settings });
  return {
    component: 'shop-db',
    facts: {
      ...serverFacts,
      systemIdentifier: '7312',
      role: {
        name: 'backup',
        kind: 'role',
        replicates: true,
        seesSettings: true,
        readsFiles: true,
        reloads: true,
        backsUp: false,
      },
      client: { address: '10.0.0.7', tls: true },
      settings: new Map(all.map(([name, value]) => [name, setting(value)])),
      isStandby: false,
      port: '5432',
      startedAt: 0,
      clock: { aheadSeconds: 0, withinSeconds: 0.01 },
      sendersInUse: 0,
      slots: [],
      hba: undefined,
      fileSettings: new Map(),
      ...facts,
    },
    here: { state: 'elsewhere', reason: 'there is no /data on this host' },
    lettingIn: { state: 'let in' },
    grant: undefined,
    heldStream: { state: 'not held' },
    uid: 26,
    reads: 'protocol',
    wanted: {
      log,
      program: { path: '/opt/holdfast', options: [] },
      stateFolder: '/var/lib/holdfast',
      missing: [],
      heldStream: async () => ({ state: 'not held' }),
      adopt: undefined,
      foreign: 'kept',
    },
    ...more,
  };
}

function item(items: readonly PlannedItem[], name: string): PlannedItem {
  const found = items.find((one) => one.name === name);
  assert.ok(found, name);
  return found;
}

const stream = { mode: 'stream', everyMs: undefined } as const;
const archive = { mode: 'archive', everyMs: undefined } as const;
const slot = { name: 'holdfast_shop_db', type: 'physical', active: false, walStatus: 'reserved', reserved: true };

test('a setting that has to change is changed, unless files have no say, the role none, or a restart is all that lacks', () => {
  const level = (given: Given): PlannedItem => item(planReplication(looked(given)), 'wal_level');
  const minimal = level({ settings: { wal_level: 'minimal' } });
  assert.deepEqual([minimal.state, minimal.effect], ['to apply', 'restart']);
  assert.deepEqual(minimal.change, { do: 'alter system', name: 'wal_level', value: 'replica' });
  const hindered = [
    [{ source: 'command line' }, {}, /command line/],
    [{ mayAlter: false }, {}, /^\/etc\/pg\/postgresql\.conf.*pg_reload_conf/],
    [{}, { allow_alter_system: 'off' }, /^\/etc\/pg\/postgresql\.conf \(allow_alter_system is off\)/],
    [{ pending: true }, {}, /the server/],
  ] as const;
  for (const [own, others, where] of hindered) {
    const one = level({ settings: { wal_level: { value: 'minimal', ...own }, ...others } });
    assert.deepEqual([one.state, one.change], ['by hand', undefined]);
    assert.match(one.lines?.where ?? '', where);
  }
});

test('what files change at the next restart is set to stay as it is, unless it is enough by then, too', () => {
  const after = (files: Readonly<Record<string, string>> | undefined, pending = true): PlannedItem => {
    const given = { settings: { max_wal_senders: { value: '20', pending } }, facts: { sendersInUse: 9 } };
    const fileSettings = files && new Map(Object.entries(files));
    return item(planReplication(looked({ ...given, facts: { ...given.facts, fileSettings } })), 'max_wal_senders');
  };
  assert.equal(after({ max_wal_senders: '11' }).state, 'fine');
  assert.equal(after({}, false).state, 'fine', 'no file says it, but the command line');
  const gone = after({});
  assert.match(gone.found, /^20, and 10 after a restart$/);
  assert.deepEqual(gone.change, { do: 'alter system', name: 'max_wal_senders', value: '20' });
  assert.match(after(undefined).found, /^20, and something else after a restart$/);
});

test('senders and slots have to be free, as many as a backup takes, and one more for a stream that does not run yet', () => {
  const senders = (given: Given): PlannedItem => item(planReplication(looked(given)), 'max_wal_senders');
  const settings = { max_wal_senders: '4' };
  assert.equal(senders({ settings, facts: { sendersInUse: 2 } }).state, 'fine');
  assert.equal(senders({ settings, facts: { sendersInUse: 2 }, log: stream }).wanted, '5');
  const streaming = { ...slot, active: true };
  assert.equal(senders({ settings, facts: { sendersInUse: 2, slots: [streaming] }, log: stream }).state, 'fine');
  const slots = (given: Given): PlannedItem => item(planReplication(looked(given)), 'max_replication_slots');
  const two = { settings: { max_replication_slots: '2' }, log: stream };
  assert.equal(slots({ ...two, facts: { slots: [slot] } }).state, 'fine', 'its own slot is not counted twice');
  assert.equal(slots({ ...two, facts: { slots: [{ ...slot, name: 'other' }] } }).wanted, '3');
});

test('the line for pg_hba.conf is of the connection that was refused, and stands where it counts', () => {
  const refused = { state: 'refused', by: 'pg_hba', message: 'no entry' } as const;
  const line = (facts: Partial<SetupFacts>, settings: Given['settings'] = {}): readonly (string | undefined)[] => {
    const { lines } = item(planReplication(looked({ facts, settings, looked: { lettingIn: refused } })), 'pg_hba.conf');
    return [lines?.where, lines?.text[0]];
  };
  const end = '/etc/pg/pg_hba.conf, at its end';
  assert.deepEqual(line({}), [end, 'hostssl  replication  backup  10.0.0.7/32  scram-sha-256']);
  assert.deepEqual(line({ client: { address: 'fd00::7', tls: false } }, { password_encryption: 'md5' }), [
    end,
    'host  replication  backup  fd00::7/128  md5',
  ]);
  assert.deepEqual(line({ client: { address: undefined, tls: false } })[1], 'local  replication  backup  peer');
  const rule = { line: 93, file: '/etc/pg/more.conf', databases: ['replication'], error: '' };
  assert.equal(line({ hba: [{ ...rule, line: 90, databases: ['all'] }, rule] })[0], '/etc/pg/more.conf, above line 93');
  const inError = { facts: { hba: [{ ...rule, error: 'invalid method' }] } };
  assert.equal(item(planReplication(looked(inError)), 'pg_hba.conf').state, 'advice');
  const senders = { state: 'refused', by: 'senders', message: 'too many' } as const;
  assert.equal(item(planReplication(looked({ looked: { lettingIn: senders } })), 'pg_hba.conf').state, 'unknown');
});

test('a slot that is lost, or somebody else’s, is not passed by; one that nobody wants is named', () => {
  const of = (one: typeof slot | undefined): PlannedItem =>
    item(planStreaming(looked({ log: stream, facts: { slots: one === undefined ? [] : [one] } })), 'replication slot');
  assert.deepEqual(of(undefined).change, { do: 'create slot', name: 'holdfast_shop_db' });
  assert.equal(of(slot).state, 'fine');
  assert.match(of({ ...slot, walStatus: 'lost' }).found, /has lost .* base backup is due/);
  assert.match(of({ ...slot, type: 'logical' }).found, /somebody else/);
  const unwanted = planStreaming(looked({ facts: { slots: [slot] } }));
  assert.deepEqual(
    unwanted.map(({ state }) => state),
    ['by hand'],
  );
  assert.deepEqual(planStreaming(looked({ facts: { slots: [{ ...slot, active: true }] } })), []);
});

test('what a slot may keep is limited by half of what is free, and never by a guess', () => {
  const directory = { path: '/data', device: '1', inode: '2', systemIdentifier: '7312', uid: 26 };
  const here = { state: 'here', directory, freeBytes: { data: 0, log: 100 * 2 ** 30 } } as const;
  const size = (value: string, given: Given = {}): PlannedItem =>
    item(
      planStreaming(looked({ log: stream, settings: { max_slot_wal_keep_size: value }, ...given })),
      'max_slot_wal_keep_size',
    );
  assert.deepEqual([size('-1').state, size('-1').change], ['by hand', undefined]);
  assert.equal(size('-1', { looked: { here } }).wanted, '51200MB');
  assert.equal(size('1024', { looked: { here } }).state, 'fine');
  assert.equal(size('204800', { looked: { here } }).state, 'advice');
});

test('a time after which an idle slot is dropped, from 18 on, is no shorter than a day', () => {
  const timeout = (value: string): PlannedItem['state'] =>
    item(
      planStreaming(looked({ log: stream, settings: { idle_replication_slot_timeout: value } })),
      'idle_replication_slot_timeout',
    ).state;
  assert.deepEqual(['0', '3600', '86400'].map(timeout), ['fine', 'advice', 'fine']);
});

test('files that are to be read in place have to be there, and the role to begin a backup', () => {
  assert.deepEqual(planHostReading(looked({})), []);
  const items = planHostReading(looked({ looked: { reads: 'host' } }));
  assert.deepEqual(
    items.map(({ name, state }) => [name, state]),
    [
      ['reading: host', 'by hand'],
      ['role: backup functions', 'by hand'],
    ],
  );
  const grant = 'grant execute on function pg_backup_start(text, boolean), pg_backup_stop(boolean) to "backup";';
  assert.deepEqual(items[1]?.lines?.text, [grant]);
  assert.equal(planHostReading(looked({ looked: { reads: 'host, from primary' } })).length, 1);
});

test('archiving begins on the database’s own host alone, by the user of its server, and on no standby', () => {
  const elsewhere = planArchiving(looked({ log: archive, settings: { archive_mode: 'off' } }));
  for (const name of ['writer grant', 'archive_command', 'archive_mode'])
    assert.equal(item(elsewhere, name).state, 'by hand', name);
  assert.ok(elsewhere.every(({ change }) => change === undefined));
  const standby = planArchiving(looked({ log: archive, facts: { isStandby: true } }));
  assert.deepEqual(
    standby.map(({ state }) => state),
    ['by hand'],
  );
  const directory = { path: '/data', device: '1', inode: '2', systemIdentifier: '7312', uid: 999 };
  const here = { state: 'here', directory, freeBytes: { data: 0, log: 0 } } as const;
  const other = item(planArchiving(looked({ log: archive, looked: { here } })), 'writer grant');
  assert.match(`${other.state} ${other.lines?.where}`, /^by hand .*as user 999/);
  const library = { archive_library: 'basic_archive' };
  const foreign = item(planArchiving(looked({ log: archive, settings: library })), 'archive_command');
  assert.match(`${foreign.state} ${foreign.found}`, /by hand archive_library = basic_archive/);
});

test('an archive that the policy wants no more is named', () => {
  const settings = {
    archive_command: "rm '/s/7312/%f.ok' 2>/dev/null || '/opt/holdfast' postgres archive-push shop-db %p",
  };
  assert.deepEqual(
    planArchiving(looked({ settings })).map(({ state }) => state),
    ['advice'],
  );
  assert.deepEqual(planArchiving(looked({ settings: { archive_command: 'cp %p /srv/%f' } })), []);
});

test('what no backup makes up for is advice: fsync, torn pages, checksums, clocks that differ', () => {
  const settings = { fsync: 'off', full_page_writes: 'off' };
  const facts = { dataChecksums: 'off', clock: { aheadSeconds: -75, withinSeconds: 0.1 } } as const;
  const advised = planSafety(looked({ settings, facts })).filter(({ state }) => state === 'advice');
  assert.deepEqual(
    advised.map(({ name }) => name),
    ['fsync', 'full_page_writes', 'data checksums', 'summarize_wal', 'clock'],
  );
  assert.match(item(advised, 'clock').found, /75\.0 s behind/);
  const summarizing = { settings: { summarize_wal: 'on' } };
  assert.ok(planSafety(looked(summarizing)).every(({ state }) => state === 'fine'));
  const slow = { clock: { aheadSeconds: 8, withinSeconds: 7 } };
  assert.equal(item(planSafety(looked({ facts: slow })), 'clock').state, 'fine', 'the way to the server took as long');
});
