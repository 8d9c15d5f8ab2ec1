import { HoldfastError } from '../../errors/error.ts';
import type { Command, Run } from '../command.ts';
import { completionScripts } from '../completion.ts';

/** The table of commands is handed in: it names this very file. */
export function completing(commands: () => Promise<readonly Command[]>): Run<{}> {
  return async ({ operands }) => {
    const script = completionScripts[operands[0] ?? ''];
    if (script === undefined) {
      throw new HoldfastError('usage', `completion: which shell? ${Object.keys(completionScripts).join(' · ')}`);
    }
    process.stdout.write(script(await commands()));
    return 0;
  };
}
