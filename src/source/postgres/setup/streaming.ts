import { slotName } from '../slot-name.ts';
import { changed, fine, settingOf, type Looked, type PlannedItem } from './planning.ts';

/** `log: { mode: stream }`: the log comes as it is written, and a slot keeps what has not come yet. */
export function planStreaming(looked: Looked): readonly PlannedItem[] {
  if (looked.wanted.log?.mode !== 'stream') return leftOver(looked);
  // First the limit, then what it limits.
  return [keepSize(looked), ...idleTimeout(looked), slot(looked)];
}

/** A slot that nobody reads keeps the log until the disk is full. */
function leftOver({ facts, component }: Looked): readonly PlannedItem[] {
  const name = slotName(component);
  const there = facts.slots.find((one) => one.name === name);
  if (there === undefined || there.active) return [];
  return [
    {
      name: 'replication slot',
      state: 'by hand',
      found: `${name} is there, and the policy wants no stream of this component`,
      wanted: 'none',
      why: 'a slot that nobody reads keeps the log until the disk of the server is full',
      effect: 'at once',
      lines: { where: 'psql', text: [`select pg_drop_replication_slot('${name}');`] },
    },
  ];
}

function slot({ facts, component }: Looked): PlannedItem {
  const name = slotName(component);
  const there = facts.slots.find((one) => one.name === name);
  const item = {
    name: 'replication slot',
    wanted: `${name}, physical, reserved`,
    why: 'the server then keeps the log that has not come yet, up to max_slot_wal_keep_size: that much of its disk it may take',
    effect: 'at once',
  } as const;
  const drop = { where: 'psql', text: [`select pg_drop_replication_slot('${name}');`] };
  if (there === undefined) return { ...item, state: 'to apply', found: 'none', change: { do: 'create slot', name } };
  if (there.type !== 'physical')
    return { ...item, state: 'by hand', found: `${name} is a ${there.type} one, of somebody else`, lines: drop };
  if (there.walStatus === 'lost')
    return {
      ...item,
      state: 'by hand',
      found: `${name} has lost what it was to keep: a new base backup is due`,
      lines: drop,
    };
  return fine(item.name, `${name}${there.reserved ? '' : ', which keeps nothing before it is used'}`);
}

const mib = 2 ** 20;

/** Half of what is free: the other half stays the server's. */
function keepSize({ facts, here }: Looked): PlannedItem {
  const name = 'max_slot_wal_keep_size';
  const value = Number(settingOf(facts, name).value);
  const free = here.state === 'here' ? here.freeBytes.log : undefined;
  const why =
    'a slot that nobody reads fills the server’s disk, and stops it; beyond the limit the stream has a gap, and says so';
  if (value >= 0) {
    const isTooMuch = free !== undefined && value * mib > free;
    if (!isTooMuch) return fine(name, `${value} MiB`);
    const wanted = `at most ${Math.floor(free / 2 / mib)}MB`;
    const lines = { where: 'psql', text: [`alter system set ${name} = '${Math.floor(free / 2 / mib)}MB';`] };
    const found = `${value} MiB, more than the ${Math.floor(free / mib)} MiB that are free`;
    return { name, state: 'advice', found, wanted, why, effect: 'reload', lines };
  }
  if (free !== undefined) {
    const half = `${Math.max(64, Math.floor(free / 2 / mib))}MB`;
    return changed(facts, { name, value: half, effect: 'reload', why, found: 'no limit' });
  }
  const lines = { where: 'psql', text: [`alter system set ${name} = '…GB'; -- half of what is free below pg_wal`] };
  return {
    name,
    state: 'by hand',
    found: 'no limit',
    wanted: 'half of what is free below pg_wal',
    why,
    effect: 'reload',
    lines,
  };
}

const day = 86_400;

function idleTimeout({ facts }: Looked): readonly PlannedItem[] {
  const name = 'idle_replication_slot_timeout';
  if (facts.major < 18) return [];
  const seconds = Number(settingOf(facts, name).value);
  if (seconds === 0) return [fine(name, 'off: the size alone limits a slot')];
  if (seconds >= day) return [fine(name, `${seconds} s`)];
  const why = 'after a stop of Holdfast that is longer the slot is lost, and the log has a gap';
  const lines = { where: 'psql', text: [`alter system set ${name} = '1d';`] };
  return [{ name, state: 'advice', found: `${seconds} s`, wanted: 'a day, or off', why, effect: 'reload', lines }];
}
