import { proveStorage } from '../../job/doctor.ts';
import type { CheckResult } from '../../storage/conformance.ts';
import { storageAt } from '../opening.ts';
import { policiesFor } from '../../storage/policy.ts';
import type { Run } from '../command.ts';
import type { doctorOptions } from '../commands/doctor.ts';
import { showProgress } from '../progress.ts';

export const run: Run<typeof doctorOptions> = async ({ operands, values }, context) => {
  const { clock, console, signal } = context;
  if (values.printPolicy) {
    const policies = policiesFor(operands[0] ?? '');
    console.piece(`${JSON.stringify(policies, undefined, 2)}\n`);
    return 0;
  }
  using view = showProgress(context);
  const { outcome: results, remains } = await proveStorage(
    { clock, listener: view.listener, signal },
    await storageAt(context, operands[0] ?? '', { asOf: context.globals.asOf }),
  );
  const { left, versions, refusal } = remains;
  const broken = results.filter(({ outcome }) => outcome === 'broken');
  if (console.form === 'json') {
    for (const result of results)
      console.record({ message_type: 'check', name: result.name, outcome: result.outcome, detail: detailOf(result) });
    console.record({ message_type: 'summary', checks: results.length, broken: broken.length, left, versions });
  } else {
    for (const result of results) console.say(lineOf(result), result.outcome === 'broken' ? 0 : 1);
    for (const key of left) console.say(`could not remove ${key}`, 0);
    if (versions > 0) console.say(`${versions} old versions of what was tried stay, hidden: ${messageOf(refusal)}`, 0);
    console.say(
      broken.length === 0
        ? 'the storage keeps every promise that was tried'
        : `${broken.length} of ${results.length} promises are broken`,
      0,
    );
  }
  return broken.length + left.length === 0 ? 0 : 1;
};

const marks = { 'kept': '✔', 'broken': '✖ BROKEN', 'not run': '- NOT RUN' } as const;

function lineOf(result: CheckResult): string {
  const detail = detailOf(result);
  return `${marks[result.outcome]} ${result.name}${detail === '' ? '' : `: ${detail}`}`;
}

function detailOf(result: CheckResult): string {
  if (result.outcome === 'not run') return result.reason;
  if (result.outcome === 'kept') return '';
  return messageOf(result.error);
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
