import { accessSync, constants, statSync } from 'node:fs';
import { delimiter, join } from 'node:path';

/** Whether a program could be started by this name: a path, or a file that may be executed in a folder of PATH. */
export function canBeFound(program: string, path: string = process.env['PATH'] ?? ''): boolean {
  if (program.includes('/')) return mayRun(program);
  return path.split(delimiter).some((folder) => mayRun(join(folder, program)));
}

function mayRun(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return statSync(path).isFile();
  } catch {
    return false;
  }
}
