import type { Fields } from '../../src/bytes/fields.ts';
import type { StepCall } from '../../src/plan/plan.ts';

/** The call of a plan's only step, on a path. */
export function switchCall(kind: string, path: string, more: Fields = {}): StepCall {
  const step = {
    key: 'switch-0',
    kind,
    where: 'here',
    arguments: { path, slot: 0, ...more },
    undo: 'in order',
    timeoutMs: 1000,
    retry: { attempts: 1, pauseMs: 0 },
    approval: 'none',
    manual: '',
  } as const;
  return { step, hash: '0123456789abcdef', attempt: 1, signal: new AbortController().signal };
}

class Killed extends Error {}

/** Does what it is handed, and kills at the n-th time: before it, or after it. */
export function killingAt(at: number, when: 'before' | 'after'): <T>(act: () => T) => T {
  let left = at;
  return (act) => {
    left -= 1;
    if (left === 0 && when === 'before') throw new Killed();
    const result = act();
    if (left === 0) throw new Killed();
    return result;
  };
}

export async function isKilled(work: Promise<void> | undefined): Promise<boolean> {
  try {
    await work;
    return false;
  } catch (error) {
    if (!(error instanceof Killed)) throw error;
    return true;
  }
}

/** Nobody keeps anything below. */
export const unguarded = async (): Promise<void> => undefined;
