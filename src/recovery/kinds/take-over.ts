import { existsSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { ComponentContext } from '../../job/component.ts';
import type { StepCall, StepKind } from '../../plan/plan.ts';
import { syncFolder } from '../../host/lasting.ts';
import { writeWhole } from './durable.ts';
import { assertSeen } from './places.ts';
import { replacementOf, type Replacement } from './replacement.ts';
import { leave } from './leave.ts';
import { rescueFrom } from './rescue.ts';
import { moveKey } from './move-key.ts';

/**
 * Puts into what is live now what nothing starts without, and gives it the word of this host to write the log, where what
 * it replaced had that. `arguments` as of `replacementOf`.
 */
export function takingOver(context: ComponentContext): StepKind {
  return {
    isDone: async (call) => (existsSync(takenAt(replacementOf(context, call).places.root)) ? 'done' : 'not done'),
    run: async (call) => {
      const replacement = replacementOf(context, call);
      const { component, places, key, granted } = replacement;
      if (existsSync(key.fresh)) moveKey(key.fresh, key.live);
      const told = existsSync(granted) ? givenWord(context, call, replacement) : withoutWord(context, replacement);
      for (const message of await told) context.listener({ kind: 'warning', during: 'plan', item: component, message });
      await writeWhole(takenAt(places.root), '');
    },
    undo: async (call) => {
      const replacement = replacementOf(context, call);
      const { driver, places } = replacement;
      assertSeen(places);
      await driver.inPlace.assertStopped(places.live);
      await rescueNewest(replacement, async () => {
        const rescued = await rescueFrom(context, call, replacement);
        if (rescued !== undefined) await leave(context, call, replacement, rescued);
      });
      await rm(takenAt(places.root), { force: true });
      await syncFolder(places.root);
    },
  };
}

async function givenWord(
  context: ComponentContext,
  { signal }: StepCall,
  { driver, places }: Replacement,
): Promise<readonly string[]> {
  const left = await driver.inPlace.takeOver({ ...context, signal }, places.live);
  return left.map((path) => `${path} is another user’s, and is left: it tells of what stood there before`);
}

/** What hands its log over by itself would be refused from its start on, and keep all of it. */
async function withoutWord(
  { policy, stateFolder }: ComponentContext,
  { component, driver, places }: Replacement,
): Promise<readonly string[]> {
  if (policy.components[component]?.log?.mode !== 'archive') return [];
  const why = await driver.inPlace.whyNotWriting(stateFolder, places.live);
  return why === undefined ? [] : [why];
}

/**
 * What was committed since it took over is in the log before it goes: nothing starts it while it is read, and where no
 * place takes it, it stays, and may be started again. What can't have been started has nothing.
 */
async function rescueNewest({ driver, places, key }: Replacement, rescue: () => Promise<void>): Promise<void> {
  const due = join(places.root, 'rescue-due');
  if (existsSync(key.live)) {
    await writeWhole(due, '');
    if (!existsSync(key.fresh)) moveKey(key.live, key.fresh);
  }
  if (!existsSync(due)) return;
  try {
    await driver.inPlace.assertStopped(places.live);
    await rescue();
  } catch (error) {
    if (existsSync(key.fresh) && !existsSync(key.live)) moveKey(key.fresh, key.live);
    throw error;
  }
  await rm(due);
}

function takenAt(root: string): string {
  return join(root, 'taken');
}
