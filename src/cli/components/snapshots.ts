import { localZoneName } from '../../clock/zone.ts';
import type { ComponentContext } from '../../job/component.ts';
import { listLogs } from '../../job/logs.ts';
import { openSource } from '../../job/open-source.ts';
import { listPoints } from '../../job/points.ts';
import type { Proof, RecoverablePoint } from '../../point/point.ts';
import type { Context } from '../context.ts';
import { logLines, logRecord } from '../log-view.ts';
import { formatBytes, formatTime, jsonTime, plural, quoteForTerminal, shortPoint } from '../format.ts';
import { policyOf } from '../policy-file.ts';
import { snapshotRecord } from '../snapshot-record.ts';
import { snapshotTable } from '../snapshot-table.ts';
import { levelWords } from '../level-words.ts';
import { tableLines } from '../table.ts';
import { componentContext, componentsMeant } from './context.ts';

/**
 * `snapshots [COMPONENT…]`: what each repository holds of components; `--points`: one list of what can be brought back.
 * Exit code 3: some repository could not be asked.
 */
export async function showSnapshots(
  names: readonly string[],
  { points }: { readonly points: boolean },
  context: Context,
): Promise<number> {
  const { policy } = await policyOf(context);
  const components = componentsMeant(policy, names, names.length === 0);
  const { listener } = context;
  await using base = await componentContext(context, policy, { mode: 'execute', listener });
  const found = await listPoints(base, components);
  const logs = points ? await listLogs(base, components, found.points) : { logs: [], unknown: [] };
  const ranges = logs.logs.map((log) => ({ log, text: positionText(base, log.component) }));
  if (context.console.form === 'json')
    context.console.record([...found.points.map(pointRecord), ...ranges.map(({ log, text }) => logRecord(log, text))]);
  else if (points) {
    for (const line of pointTable(found.points)) context.console.say(line, 0);
    for (const { log, text } of ranges) for (const line of logLines(log, text)) context.console.say(line, 0);
  } else for (const name of Object.keys(policy.repositories)) showHeld(name, found.points, context);
  return found.unknown.length + logs.unknown.length === 0 ? 0 : 3;
}

/** How people of a component's kind write positions. */
function positionText(context: ComponentContext, name: string): (position: bigint) => string {
  const { [name]: component } = context.policy.components;
  const log = component && openSource(context, name, component).log;
  return log?.positionText ?? ((position) => position.toString(16));
}

function showHeld(repository: string, points: readonly RecoverablePoint[], { console }: Context): void {
  const held = points.flatMap(({ copies }) => copies.filter((copy) => copy.repository === repository));
  if (held.length === 0) return;
  console.say(`\nin ${repository}:`, 0);
  for (const line of snapshotTable(
    held.flatMap((copy) => (copy.held === 'repository' ? [copy.snapshot] : [])),
    'full',
  ))
    console.say(line, 0);
}

function pointTable(points: readonly RecoverablePoint[]): readonly string[] {
  return tableLines({
    header: ['Component', 'Time', 'Rule', 'Point', 'Held by', 'Size'],
    rows: points.map(({ component, timeNs, rule, identity, copies, sizeBytes }) => [
      component,
      formatTime(timeNs),
      rule,
      shortPoint(identity),
      copies.map(({ held, repository, proof }) =>
        quoteForTerminal(`${repository} (${held === 'external' ? 'external, ' : ''}${proofText(proof)})`),
      ),
      sizeBytes === undefined ? '' : formatBytes(sizeBytes),
    ]),
    footer: `${plural(points.length, 'recoverable point')}, times in ${localZoneName()}`,
    right: [5],
  });
}

function proofText(proof: Proof): string {
  if (proof.state === 'stored') return 'stored';
  const when = formatTime(proof.timeNs);
  return proof.state === 'failed' ? `FAILED ${when}` : `${levelWords[proof.level]} ${when}`;
}

function pointRecord({ component, rule, method, identity, timeNs, sizeBytes, copies }: RecoverablePoint): unknown {
  return {
    component,
    rule,
    method,
    identity,
    time: jsonTime(timeNs),
    size: sizeBytes,
    copies: copies.map(({ repository, proof, ...copy }) => ({
      held: copy.held,
      repository,
      proof:
        proof.state === 'stored'
          ? { state: proof.state }
          : { ...proof, time: jsonTime(proof.timeNs), timeNs: undefined },
      ...(copy.held === 'repository' ? { snapshot: snapshotRecord(copy.snapshot) } : {}),
    })),
  };
}
