import type { ComponentContext } from '../job/component.ts';
import type { StepKinds } from '../plan/plan.ts';
import { assertNothingKeptBelow, plansIn } from './kept-below.ts';
import { commanding } from './kinds/command.ts';
import { onItsDisks } from './kinds/disks.ts';
import { healthy } from './kinds/health.ts';
import type { Guard } from './kinds/places.ts';
import { reaching } from './kinds/reachable.ts';
import { replaying } from './kinds/replay.ts';
import { replayingOver } from './kinds/replay-over.ts';
import { rescuing } from './kinds/rescue.ts';
import { restoringMoment } from './kinds/restore-moment.ts';
import { restoringOver } from './kinds/restore-over.ts';
import { restoring } from './kinds/restore.ts';
import { safety } from './kinds/safety.ts';
import { systemd } from './kinds/service.ts';
import { switching } from './kinds/switch.ts';
import { switchingContents } from './kinds/switch-contents.ts';
import { takingOver } from './kinds/take-over.ts';
import { withholding } from './kinds/withhold.ts';

/** What steps of plans can do on this host. */
export function stepKinds(context: ComponentContext): StepKinds {
  const guard: Guard = async ({ hash }, live) => await assertNothingKeptBelow(plansIn(context.stateFolder), live, hash);
  const kinds: StepKinds = {
    'restore': restoring(context),
    'restore-moment': restoringMoment(context),
    'rescue-log': rescuing(context),
    'withhold': withholding(context),
    'replay': replaying(context),
    'moment-reachable': reaching(context),
    'restore-over': restoringOver(context),
    'replay-over': replayingOver(context),
    'take-over': takingOver(context),
    'safety-backup': safety(context),
    'switch': switching(guard),
    'switch-contents': switchingContents(guard),
    'command': commanding(context),
    'systemd': systemd(context),
    'http-health': healthy(context),
  };
  return Object.fromEntries(Object.entries(kinds).map(([name, kind]) => [name, onItsDisks(kind)]));
}
