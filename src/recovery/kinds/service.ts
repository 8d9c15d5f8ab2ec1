import { textOf } from '../../bytes/fields.ts';
import { outputOf } from '../../host/output-of.ts';
import type { StepCall, StepKind } from '../../plan/plan.ts';
import { succeed, type Running } from './command.ts';

/**
 * Stops or starts a unit of systemd: `arguments` {unit, wanted: 'yes' (to run) or 'no'}. `systemctl stop` and `start`
 * return when their job is over; `ActiveState` of systemctl(1) and org.freedesktop.systemd1(5) says how it stands.
 */
export function systemd(running: Running): StepKind {
  const turn = async (call: StepCall, to: 'start' | 'stop'): Promise<void> =>
    await succeed(running, ['systemctl', '--no-ask-password', to, '--', unitOf(call)], call.signal);
  return {
    isDone: async (call) => ((await stateOf(call)) === (wanted(call) ? 'runs' : 'stopped') ? 'done' : 'not done'),
    run: async (call) => await turn(call, wanted(call) ? 'start' : 'stop'),
    undo: async (call) => await turn(call, wanted(call) ? 'stop' : 'start'),
  };
}

function unitOf({ step }: StepCall): string {
  return textOf(step.arguments['unit'], step.key);
}

function wanted({ step }: StepCall): boolean {
  return step.arguments['wanted'] === 'yes';
}

async function stateOf(call: StepCall): Promise<'runs' | 'stopped' | 'between'> {
  const args = ['show', '--property=ActiveState', '--value', '--', unitOf(call)];
  const state = Buffer.from(await outputOf('systemctl', args, call.signal))
    .toString()
    .trim();
  if (state === 'active' || state === 'reloading') return 'runs';
  return state === 'inactive' || state === 'failed' ? 'stopped' : 'between';
}
