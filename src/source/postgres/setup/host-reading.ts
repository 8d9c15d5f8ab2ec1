import { backupFunctions } from './backup-functions.ts';
import { bySuperuser, fine, identifier, type Looked, type PlannedItem } from './planning.ts';

/** What `reading: host` needs: to be on that host, and to begin and end a backup by statements. */
export function planHostReading(looked: Looked): readonly PlannedItem[] {
  if (looked.reads === 'protocol') return [];
  return [place(looked), ...(looked.reads === 'host' ? [functions(looked)] : [])];
}

function place({ here }: Looked): PlannedItem {
  const name = 'reading: host';
  if (here.state === 'here') return fine(name, `reads ${here.directory.path}`);
  return {
    name,
    state: 'by hand',
    found: here.reason,
    wanted: 'to be run on the database’s own host, by a user who may read its data directory',
    why: 'the policy wants the data directory read in place',
    lines: { where: 'the policy, otherwise', text: ['reading: protocol'] },
  };
}

function functions({ facts: { role, major } }: Looked): PlannedItem {
  const name = 'role: backup functions';
  if (role.backsUp) return fine(name, 'may run them');
  const needed = backupFunctions(major);
  return {
    name,
    state: 'by hand',
    found: `may not run ${needed.join(' and ')}`,
    wanted: 'to run them',
    why: 'a backup of files that are read in place begins and ends by them',
    effect: 'at once',
    lines: bySuperuser(`grant execute on function ${needed.join(', ')} to ${identifier(role.name)};`),
  };
}
