import { inspect } from 'node:util';
import type { Check, Verdict } from './checks/check.ts';
import { checkDuplicates } from './checks/duplicates.ts';
import { checkCapabilities } from './checks/capabilities.ts';
import { checkDependencies, checkErrorPages } from './checks/pages.ts';
import { checkSizes, checkWords } from './checks/tidy.ts';
import { checkRooms } from './checks/rooms.ts';
import { checkStartUp } from './checks/start-up.ts';
import { tool } from './checks/tools.ts';

/** `npm run ok [-- NAME…]`: the static checks, or those named, with what they found. */
const checks: Readonly<Record<string, Check>> = {
  'types': tool('tsc', '--noEmit', '-p', '.'),
  'lint': tool('oxlint'),
  'format': tool('oxfmt', '--check'),
  'rooms': checkRooms,
  'unused': tool('knip'),
  'unused in production': tool('knip', '--production'),
  'duplicates': checkDuplicates,
  'sizes': checkSizes,
  'start-up': checkStartUp,
  'words': checkWords,
  'capabilities': checkCapabilities,
  'error pages': checkErrorPages,
  'dependencies': checkDependencies,
};

function verdict(check: Check): Verdict {
  try {
    return check();
  } catch (error) {
    return { findings: [inspect(error)] };
  }
}

const names = process.argv.slice(2);
const unknown = names.filter((name) => !Object.hasOwn(checks, name));
let failed = unknown.length;
for (const name of unknown) console.log(`✖ ${name}: no such check`);
for (const [name, check] of Object.entries(checks)) {
  if (names.length > 0 && !names.includes(name)) continue;
  const { findings, remarks = [] } = verdict(check);
  console.log(`${findings.length === 0 ? '✔' : '✖'} ${name}`);
  for (const line of [...findings, ...remarks]) console.log(line.replaceAll(/^/gm, '  '));
  if (findings.length > 0) failed += 1;
}
process.exitCode = failed === 0 ? 0 : 1;
