import { HoldfastError } from '../errors/error.ts';
import { judgeClock } from '../storage/clock-skew.ts';
import { runConformance, type CheckResult } from '../storage/conformance.ts';
import { measureLatency, measureRates, type Latency, type Rate } from '../storage/measure.ts';
import { examineSetup } from '../storage/setup.ts';
import type { Statement } from '../storage/statement.ts';
import type { Storage } from '../storage/storage.ts';
import { inTrial, type Remains, type Trial } from '../storage/trial.ts';
import type { Retention } from '../storage/versions.ts';
import type { JobContext } from './job.ts';

export interface Examination {
  readonly statements: readonly Statement[];
  /** Empty where nothing was measured; a statement says why. */
  readonly latencies: readonly Latency[];
  readonly rates: readonly Rate[];
}

type Context = Pick<JobContext, 'clock' | 'listener' | 'signal'>;

/** Asks how a storage is set up, tries every promise of its contract, measures it, and closes it. */
export async function examineStorage(context: Context, storage: Storage): Promise<Examination> {
  await using _storage = storage;
  const { statements, byDefault } = await examineSetup(storage, { signal: context.signal });
  const { outcome, remains } = await inTrial(storage, context, async (trial) => {
    const clock = await judgeClock(trial, context.clock);
    const promises = (await runConformance(trial, context)).flatMap((result) => statementOf(result) ?? []);
    const { latencies, rates, unmeasured } = await measured(trial, context, byDefault);
    return { statements: [clock, ...promises, ...unmeasured], latencies, rates };
  });
  return { ...outcome, statements: [...statements, ...outcome.statements, judgeRemains(remains)] };
}

interface Measured extends Pick<Examination, 'latencies' | 'rates'> {
  readonly unmeasured: readonly Statement[];
}

async function measured(trial: Trial, context: Context, byDefault: Retention | undefined): Promise<Measured> {
  const [about, state] = ['speed', 'unknown'] as const;
  try {
    const latencies = await measureLatency(trial, context);
    if (!byDefault) return { latencies, rates: await measureRates(trial, context), unmeasured: [] };
    const detail = 'it wasn’t tried: the bucket locks whatever is stored for that';
    return { latencies, rates: [], unmeasured: [{ about, state, text: 'how fast the storage moves data', detail }] };
  } catch (error) {
    if (context.signal.aborted || !(error instanceof HoldfastError)) throw error;
    const unmeasured: Statement = { about, state, text: 'how fast the storage is', detail: error.message };
    return { latencies: [], rates: [], unmeasured: [unmeasured] };
  }
}

/** Undefined where nothing follows from what the storage doesn't offer. */
function statementOf(result: CheckResult): Statement | undefined {
  const { name: text } = result;
  const about = 'promise';
  if (result.outcome === 'kept') return { about, state: 'ok', text };
  if (result.outcome === 'not run' && result.follows === undefined) return undefined;
  const why = result.outcome === 'broken' ? messageOf(result.error) : 'this kind of storage doesn’t offer it';
  const detail = result.follows === undefined ? why : `${why}: ${result.follows}`;
  return { about, state: result.outcome === 'broken' ? 'failed' : 'warning', text, detail };
}

function judgeRemains({ left, versions, refusal }: Remains): Statement {
  const about = 'clean-up';
  const why = refusal === undefined ? {} : { detail: messageOf(refusal) };
  if (left.length > 0) return { about, state: 'failed', text: `could not remove ${someOf(left)}`, ...why };
  if (versions > 0) return { about, state: 'warning', text: `${versions} old versions of what was tried stay`, ...why };
  return refusal === undefined
    ? { about, state: 'ok', text: 'nothing stays of what was tried' }
    : { about, state: 'unknown', text: 'whether something unseen stays of what was tried', ...why };
}

const named = 5;

function someOf(keys: readonly string[]): string {
  const more = keys.length - named;
  return `${keys.slice(0, named).join(' ')}${more > 0 ? ` and ${more} more` : ''}`;
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
