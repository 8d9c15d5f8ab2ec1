/**
 * Takes variables out of the environment that programs and workers started from now on are given. A secret that this
 * process was handed is not for every command that it runs; who needs it has it read before.
 */
export function keepFromChildren(names: Iterable<string>): void {
  for (const name of names) delete process.env[name];
}
