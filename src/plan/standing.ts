import type { Entry } from './journal.ts';
import type { Plan } from './plan.ts';

/** How far a plan has come, by its journal alone. */
export interface Standing {
  readonly phase:
    | 'forward'
    | 'back'
    | 'finished'
    | 'undone'
    | 'undone in part'
    | 'given up'
    | 'confirming'
    | 'confirmed';
  /** Why it was turned back; '' where it wasn't. */
  readonly reason: string;
  readonly steps: ReadonlyMap<string, StepStanding>;
  readonly approvals: readonly Approval[];
}

/** Nothing of it is left to do, or to undo. */
export function isOver({ phase }: Pick<Standing, 'phase'>): boolean {
  return phase === 'undone' || phase === 'given up' || phase === 'confirmed';
}

/** For people: which plan. */
export function nameOf({ hash, plan }: { readonly hash: string; readonly plan: Plan }): string {
  return `plan ${hash.slice(0, 12)} (${plan.title})`;
}

/** For people: how far it came, and why it was turned back. */
export function standsAt({ phase, reason }: Pick<Standing, 'phase' | 'reason'>): string {
  return `it stands at “${phase}”${reason === '' ? '' : `: ${reason}`}`;
}

export interface Approval {
  readonly by: string;
  readonly timeNs: bigint;
}

export interface StepStanding {
  readonly state: 'waiting' | 'begun' | 'done' | 'was so' | 'undone' | 'not undone';
  readonly attempts: number;
  readonly undoAttempts: number;
  /** Of the attempt that did it. */
  readonly ms: number | undefined;
  readonly tick: Approval | undefined;
  readonly isConfirmed: boolean;
}

const fresh: StepStanding = {
  state: 'waiting',
  attempts: 0,
  undoAttempts: 0,
  ms: undefined,
  tick: undefined,
  isConfirmed: false,
};

/** Keeps a plan's standing beside its journal. */
export class Ledger implements Standing {
  phase: Standing['phase'] = 'forward';
  reason = '';
  readonly steps: Map<string, StepStanding>;
  readonly approvals: Approval[] = [];

  constructor({ steps }: Plan, entries: readonly Entry[]) {
    this.steps = new Map(steps.map(({ key }) => [key, fresh]));
    for (const entry of entries) this.add(entry);
  }

  add(entry: Entry): void {
    const { what, step = '', by = '', timeNs, reason = '' } = entry;
    const before = this.steps.get(step);
    if (before !== undefined) this.steps.set(step, { ...before, ...changed(before, entry) });
    this.phase = phases[what] ?? this.phase;
    if (what === 'turned back') this.reason = reason;
    if (what === 'approved') this.approvals.push({ by, timeNs });
  }
}

function changed(before: StepStanding, { what, attempt = 0, ms, by = '', timeNs }: Entry): Partial<StepStanding> {
  switch (what) {
    case 'began':
      return { state: 'begun', attempts: attempt };
    case 'done':
    case 'found done':
      return { state: 'done', ms };
    case 'was so':
      return { state: 'was so' };
    case 'ticked':
      return { tick: { by, timeNs } };
    case 'began to undo':
      return { undoAttempts: attempt };
    case 'undone':
      return { state: 'undone' };
    case 'not undone':
      return { state: 'not undone' };
    case 'confirmed step':
      return { isConfirmed: true };
    default:
      return before;
  }
}

const phases: Partial<Readonly<Record<Entry['what'], Standing['phase']>>> = {
  'turned back': 'back',
  'finished': 'finished',
  'undid all': 'undone',
  'undid in part': 'undone in part',
  'asked to confirm': 'confirming',
  'given up': 'given up',
  'confirmed': 'confirmed',
};
