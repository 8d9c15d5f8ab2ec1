import { asServer } from '../servers/postgres-user.ts';
import type { RunResult } from './run-program.ts';
import { CommandServer, type ServedCommand } from './served.ts';

const its = new CommandServer(() => asServer([]));

/** As `served`, as the user who runs servers. */
export async function servedAsServer(command: ServedCommand): Promise<RunResult> {
  return await its.answer(command);
}
