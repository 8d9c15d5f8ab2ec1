import type { RehearsedStep } from '../../rehearsal.ts';
import type { SandboxedServer } from '../sandboxed-server.ts';

type Told = Pick<RehearsedStep, 'state' | 'found'>;

/** A step whose errors are judged: by what a server says of the copy, or of its own surroundings. */
export async function stepOf(
  server: Pick<SandboxedServer, 'judged'>,
  about: Pick<RehearsedStep, 'name' | 'expected'>,
  body: () => Promise<Told>,
): Promise<RehearsedStep> {
  try {
    return { ...about, ...(await body()) };
  } catch (error) {
    const { kind, reason } = server.judged(error);
    return { ...about, state: kind === 'refused' ? 'failed' : 'not run', found: reason };
  }
}

const mostTold = 5;

/** The first of many, and how many more there are. */
export function firstOf(told: readonly string[]): string {
  const more = told.length > mostTold ? `; and ${told.length - mostTold} more` : '';
  return told.slice(0, mostTold).join('; ') + more;
}
