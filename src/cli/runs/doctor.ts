import { examineStorage, type Examination } from '../../job/doctor.ts';
import type { Latency, Rate } from '../../storage/measure.ts';
import { policiesFor } from '../../storage/policy.ts';
import type { Statement } from '../../storage/statement.ts';
import type { Run } from '../command.ts';
import type { doctorOptions } from '../commands/doctor.ts';
import type { Console } from '../console.ts';
import { formatBytes } from '../format.ts';
import { storageAt } from '../opening.ts';
import { showProgress } from '../progress.ts';

export const run: Run<typeof doctorOptions> = async ({ operands, values }, context) => {
  const { clock, console, globals, signal } = context;
  const [address = ''] = operands;
  if (values.printPolicy) {
    console.piece(`${JSON.stringify(policiesFor(address), undefined, 2)}\n`);
    return 0;
  }
  using view = showProgress(context);
  const storage = await storageAt(context, address, { asOf: globals.asOf });
  const examination = await examineStorage({ clock, listener: view.listener, signal }, storage);
  view[Symbol.dispose]();
  const counts = countsOf(examination.statements);
  if (console.form === 'json') record(console, examination, counts);
  else tell(console, examination, counts);
  return counts.failed > 0 ? 1 : counts.unknown > 0 ? 3 : 0;
};

type Counts = Readonly<Record<Statement['state'], number>>;

function countsOf(statements: readonly Statement[]): Counts {
  const count = (state: Statement['state']): number => statements.filter((one) => one.state === state).length;
  return { ok: count('ok'), warning: count('warning'), failed: count('failed'), unknown: count('unknown') };
}

/** docs/JSON.md */
function record(console: Console, { statements, latencies, rates }: Examination, counts: Counts): void {
  for (const statement of statements) console.record({ message_type: 'statement', ...statement });
  for (const { operation, count, medianMs, worstMs } of latencies) {
    const [median_seconds, worst_seconds] = [medianMs / 1000, worstMs / 1000];
    console.record({ message_type: 'latency', operation, count, median_seconds, worst_seconds });
  }
  for (const { connections, bytes, uploadBytesPerSecond, downloadBytesPerSecond } of rates) {
    const rate = { upload_bytes_per_second: uploadBytesPerSecond, download_bytes_per_second: downloadBytesPerSecond };
    console.record({ message_type: 'rate', connections, bytes, ...rate });
  }
  console.record({ message_type: 'summary', ...counts });
}

function tell(console: Console, { statements, latencies, rates }: Examination, counts: Counts): void {
  for (const statement of statements) console.say(lineOf(statement), statement.state === 'ok' ? 1 : 0);
  for (const latency of latencies) console.say(latencyLine(latency));
  for (const rate of rates) console.say(rateLine(rate));
  console.say(summaryOf(counts), 0);
}

const marks = { ok: '✔', warning: '! WARNING', failed: '✖ FAILED', unknown: '? UNKNOWN' } as const;

function lineOf({ state, text, detail }: Statement): string {
  return `${marks[state]} ${text}${detail === undefined ? '' : `: ${detail}`}`;
}

function latencyLine({ operation, medianMs, worstMs, count }: Latency): string {
  return `  ${operation}: ${medianMs.toFixed(1)} ms in the middle, ${worstMs.toFixed(1)} ms at worst, of ${count}`;
}

function rateLine({ connections, uploadBytesPerSecond: up, downloadBytesPerSecond: down, bytes }: Rate): string {
  const by = connections === 1 ? 'one connection' : `${connections} connections`;
  return `  by ${by}: ${formatBytes(up)}/s up, ${formatBytes(down)}/s down, of ${formatBytes(bytes)}`;
}

function summaryOf({ failed, warning, unknown }: Counts): string {
  const first = failed === 0 ? 'the storage keeps every promise that was tried' : `failed: ${failed}`;
  const rest = [warning > 0 ? `warnings: ${warning}` : '', unknown > 0 ? `unknown: ${unknown}` : ''];
  return [first, ...rest.filter((part) => part !== '')].join('; ');
}
