import type { Clock } from '../../../clock/clock.ts';
import { HoldfastError } from '../../../errors/error.ts';
import type { Setup, SetupItem, SetupPlan, SetupWanted } from '../../setup.ts';
import { connectTo, type ServerConnection } from '../connect.ts';
import { lookAtDataDirectory } from '../data-directory.ts';
import { checkGrant, issueGrant } from '../grant.ts';
import { creationOf } from '../heartbeat.ts';
import { wipeSpool } from '../wipe-spool.ts';
import { planArchiving } from './archiving.ts';
import { setupFacts } from './facts.ts';
import { lookAtHeartbeat, planHeartbeat } from './heartbeat.ts';
import { lookHere } from './here.ts';
import { planHostReading } from './host-reading.ts';
import { tryReplication } from './letting-in.ts';
import type { Change, Looked, PlannedItem } from './planning.ts';
import { planReplication } from './replication.ts';
import { planRole } from './role.ts';
import { planSafety } from './safety.ts';
import { planStreaming } from './streaming.ts';

export interface ServerToSetUp extends Pick<Looked, 'reads'> {
  readonly component: string;
  readonly clock: Clock;
  readonly url: string;
  /** The table of the heartbeat that the policy wants. */
  readonly heartbeat: string | undefined;
}

export function setupOf(at: ServerToSetUp): Setup {
  return {
    look: async (wanted, signal) => {
      await using server = await connectTo({ url: at.url, use: 'statements', signal });
      const looked = await look(at, server, { wanted, signal });
      return planOf(looked);
    },
    apply: async (item, wanted, signal) => {
      await using server = await connectTo({ url: at.url, use: 'statements', signal });
      const looked = await look(at, server, { wanted, signal });
      await change(at, server, { wanted, change: changeStillDue(itemsOf(looked), item) });
    },
  };
}

interface Asked {
  readonly wanted: SetupWanted;
  readonly signal: AbortSignal;
}

async function look(
  { component, clock, url, reads, heartbeat }: ServerToSetUp,
  server: ServerConnection,
  { wanted, signal }: Asked,
): Promise<Looked> {
  const facts = await setupFacts(server, clock);
  const here = await lookHere(facts, { clock, signal });
  if (wanted.adopt !== undefined) assertRunsOn(here, wanted.adopt);
  return {
    component,
    facts,
    here,
    lettingIn: await tryReplication(url, signal),
    ...(await lookAtGrant(component, here, { facts, wanted })),
    uid: process.getuid?.() ?? 0,
    reads,
    wanted,
    heartbeat: heartbeat === undefined ? undefined : await lookAtHeartbeat(server, heartbeat),
  };
}

async function lookAtGrant(
  component: string,
  here: Looked['here'],
  { facts, wanted }: Pick<Looked, 'facts' | 'wanted'>,
): Promise<Pick<Looked, 'grant' | 'heldStream'>> {
  const grant =
    here.state === 'here' ? await checkGrant(wanted.stateFolder, component, here.directory.path) : undefined;
  const isFirst = grant?.state === 'refused' && grant.because === 'none' && wanted.adopt === undefined;
  const asks = isFirst && wanted.log?.mode === 'archive';
  return { grant, heldStream: asks ? await wanted.heldStream(facts.systemIdentifier) : { state: 'not held' } };
}

/** To adopt is to say which one: a copy that answers at the same address is not adopted by mistake. */
function assertRunsOn(here: Looked['here'], directory: string): void {
  if (here.state !== 'here')
    throw new HoldfastError('refused', `${directory} can’t be adopted from here: ${here.reason}`);
  if (here.directory.path === lookAtDataDirectory(directory).path) return;
  throw new HoldfastError('refused', `the server runs on ${here.directory.path}, not on ${directory}`);
}

function itemsOf(looked: Looked): readonly PlannedItem[] {
  return [planRole, planReplication, planHostReading, planArchiving, planStreaming, planHeartbeat, planSafety].flatMap(
    (plan) => plan(looked),
  );
}

function planOf(looked: Looked): SetupPlan {
  const { facts } = looked;
  const items = itemsOf(looked).map(({ change: _own, ...item }) => item);
  const kind = facts.isStandby ? ', a standby' : '';
  return { server: `PostgreSQL ${facts.version}${kind}, as ${facts.role.name}`, items };
}

function changeStillDue(items: readonly PlannedItem[], { name, found, wanted }: SetupItem): Change {
  const { change: due } = items.find((one) => one.name === name && one.found === found) ?? {};
  // What was shown is what is done, though a value that goes by the room on a disk would be another one now.
  if (due?.do === 'alter system' && wanted !== undefined) return { ...due, value: wanted };
  if (due !== undefined) return due;
  throw new HoldfastError('refused', `${name} has changed since it was planned`, {
    next: 'Run the command again for a new plan. Nothing was changed of it.',
  });
}

async function change(
  { component }: ServerToSetUp,
  server: ServerConnection,
  { wanted, change: due }: { readonly wanted: SetupWanted; readonly change: Change },
): Promise<void> {
  if (due.do === 'alter system') {
    await server.rows('set standard_conforming_strings = on');
    await server.rows(`alter system set ${due.name} = '${due.value.replaceAll("'", "''")}'`);
    await server.rows('select pg_reload_conf()');
  } else if (due.do === 'create slot') {
    await server.rows('select pg_create_physical_replication_slot($1, true)', [due.name]);
  } else if (due.do === 'create heartbeat') {
    await server.rows(creationOf(due.table));
  } else {
    // Markers tell of the segments of another directory; with them gone, the grant.
    wipeSpool(wanted.stateFolder, component);
    await issueGrant(wanted.stateFolder, component, due.dataDirectory);
  }
}
