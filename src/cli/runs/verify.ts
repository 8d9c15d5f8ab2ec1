import type { MomentAsked } from '../../point/moment.ts';
import { HoldfastError } from '../../errors/error.ts';
import { forecastText, total } from '../../objective/forecast.ts';
import { roughText } from '../../policy/span.ts';
import { findMoment, replayOf, type FoundMoment } from '../../job/find-moment.ts';
import { verifyComponent, type VerifyOptions } from '../../job/verify.ts';
import type { ComponentContext } from '../../job/component.ts';
import type { VerificationOutcome, VerificationState } from '../../job/verification.ts';
import type { Policy, Verification } from '../../policy/policy.ts';
import { nearest } from '../../bytes/nearest.ts';
import type { Invocation, Run } from '../command.ts';
import type { verifyOptions } from '../commands/verify.ts';
import { componentsMeant, recordingContext } from '../components/context.ts';
import { momentAt } from '../components/moment.ts';
import { namesMoment } from '../checks/moment-words.ts';
import { askedBy } from '../components/moment-words.ts';
import type { Console } from '../console.ts';
import type { Context } from '../context.ts';
import { formatSeconds, formatTime, jsonTime, quoteForTerminal, shortPoint } from '../format.ts';
import { forecastRecord } from '../expected-view.ts';
import { policyOf } from '../policy-file.ts';
import { showProgress } from '../progress.ts';
import { stateFolder } from '../state-folder.ts';

type Values = Invocation<typeof verifyOptions>['values'];

/** Exit code 4: a copy failed; 5: nothing failed, and not everything could be verified. */
export const run: Run<typeof verifyOptions> = async ({ values, operands }, context) => {
  const { policy } = await policyOf(context);
  const components = componentsMeant(policy, operands, values.all);
  checkFrom(values, policy);
  using view = showProgress(context);
  await using base = await recordingContext(context, policy, { mode: 'execute', listener: view.listener });
  const states: VerificationState[] = [];
  const time = momentAt(values.at, policy, context);
  for (const component of components) {
    for (const verification of verificationsOf(policy, component, values)) {
      const scratch = `${stateFolder(context)}/sandboxes`;
      const onOutcome = (outcome: VerificationOutcome): void => {
        states.push(outcome.state);
        show(component, outcome, context.console);
      };
      const options = {
        component,
        verification,
        scratch,
        hidden: [stateFolder(context)],
        onOutcome,
        random: Math.random,
      };
      try {
        await using stack = new AsyncDisposableStack();
        const moment = await momentToVerify({ values, atNs: time?.ns, component }, base, stack);
        await verifyComponent(base, { ...options, ...(moment && { moment }) });
      } catch (error) {
        states.push(tell(component, error, context));
      }
    }
  }
  return states.includes('failed') ? 4 : states.some((state) => state !== 'verified') ? 5 : 0;
};

interface MomentMeant {
  readonly values: Values;
  readonly atNs: bigint | undefined;
  readonly component: string;
}

/** Undefined where the newest backup is meant, as it is. */
async function momentToVerify(
  { values, atNs, component }: MomentMeant,
  base: ComponentContext,
  stack: AsyncDisposableStack,
): Promise<VerifyOptions['moment']> {
  if (atNs === undefined && !namesMoment(values)) return undefined;
  const asked = askedBy(values, base, component, atNs);
  const found = await findMoment(base, { ...asked, component, otherwise: 'nothing' }, stack);
  if (found === 'snapshots alone') return undefined;
  const { leftBehind = nothingBehind(asked, found) } = found.planned;
  if (leftBehind !== undefined) throw new HoldfastError('unreachable', `${component}: ${leftBehind}`, { next: holed });
  return { point: found.planned.plan.base, replay: replayOf(base, asked, found) };
}

/** A log that is gone as a whole leaves no trace but that it is empty. */
function nothingBehind({ moment }: MomentAsked, { planned: { plan } }: FoundMoment): string | undefined {
  const isEmpty = moment.kind === 'latest' && plan.parts.length === 0;
  return isEmpty ? 'nothing is held of the log behind the newest backup' : undefined;
}

const holed =
  'Take a base backup now: moments from it on can be brought back. A moment before the hole is verified by --at or --lsn.';

/** A repository that doesn't answer proves nothing. */
function tell(component: string, error: unknown, { console, signal }: Context): VerificationState {
  if (!(error instanceof HoldfastError) || signal.aborted) throw error;
  const { code, message, next } = error;
  const state = 'could not verify';
  if (console.form === 'json')
    console.record({ message_type: 'verification', component, state, error_code: code, reason: message });
  console.say(`? ${component}: COULD NOT VERIFY: ${message}\n  ${next}`, 0);
  return state;
}

function checkFrom({ from }: Values, policy: Policy): void {
  const own = Object.values(policy.components).flatMap(({ source }) => Object.keys(source.places));
  const known = ['nearest', 'each', ...Object.keys(policy.repositories), ...own];
  if (from === undefined || known.includes(from)) return;
  const guess = nearest(from, known);
  throw new HoldfastError(
    'usage',
    `--from: there is no repository ${JSON.stringify(from)}${guess === undefined ? '' : `; did you mean ${guess}?`}`,
  );
}

const standard: Verification = {
  from: 'nearest',
  do: 'restore',
  checks: [],
  when: { kind: 'on', event: 'release' },
};

/** What the policy says, or a restore where it says nothing; flags change each of them. */
function verificationsOf(
  { components }: Policy,
  component: string,
  { from, do: how }: Values,
): readonly Verification[] {
  const own = components[component]?.verify ?? [];
  return (own.length === 0 ? [standard] : own).map((one) => ({ ...one, from: from ?? one.from, do: how ?? one.do }));
}

const marks = { 'verified': '✔', 'failed': '✖', 'could not verify': '?' } as const;

function show(component: string, outcome: VerificationOutcome, console: Console): void {
  const { state, level, point, copy, reason, checks, stages, forecast } = outcome;
  if (console.form === 'json') {
    console.record({
      message_type: 'verification',
      component,
      state,
      level,
      held: copy.held,
      repository: copy.repository,
      point: point.identity,
      time: jsonTime(point.timeNs),
      reason,
      checks,
      stages,
      forecast: forecastRecord(forecast),
    });
    return;
  }
  const what = `${component}, point ${shortPoint(point.identity)} of ${formatTime(point.timeNs)} in ${copy.repository}`;
  console.say(`${marks[state]} ${quoteForTerminal(what)}: ${state.toUpperCase()} (${level})`, 0);
  if (reason !== undefined) console.say(`  ${quoteForTerminal(reason)}`, 0);
  for (const { name, state: result, expected, found } of checks) {
    const word = { 'passed': 'passed', 'failed': 'FAILED', 'not run': 'NOT RUN', 'left out': 'NOT RUN' }[result];
    console.say(`  ${word}  ${quoteForTerminal(`${name}: expected ${expected}; found ${found}`)}`);
  }
  const times = Object.entries(stages).map(([stage, seconds]) => `${stage} ${formatSeconds(Number(seconds))}`);
  const whole = `${times.join(', ')}: ${roughText(total(stages) * 1000)}`;
  console.say(forecast.state === 'known' ? `  ${whole}; forecast was ${forecastText(forecast)}` : `  ${whole}`);
}
