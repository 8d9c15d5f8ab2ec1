import { existsSync } from 'node:fs';
import { textOf } from '../../bytes/fields.ts';
import { HoldfastError } from '../../errors/error.ts';
import type { ComponentContext } from '../../job/component.ts';
import type { StepCall, StepKind } from '../../plan/plan.ts';
import { writeWhole } from './durable.ts';
import { overStateOf } from './half-over.ts';
import { moveKey } from './move-key.ts';
import { haveOwnRoot } from './own-root.ts';
import { removeOwn } from './removal.ts';
import { replacementOf, type Replacement } from './replacement.ts';

/**
 * Takes out of what is live what nothing starts without, and notes whether that may write the log; put back by an undo.
 * Where it is gone already, as on a disk that was lost, there is only the note to be made. `arguments` as of `replacementOf`,
 * and {stream}.
 */
export function withholding(context: ComponentContext): StepKind {
  return {
    isDone: async (call) => {
      const replacement = replacementOf(context, call);
      const { key, granted } = replacement;
      if (existsSync(key.live)) return 'not done';
      if (existsSync(key.old) || existsSync(granted)) return 'done';
      return (await mayWrite(context, call, replacement)) ? 'not done' : 'done';
    },
    run: async (call) => {
      const replacement = replacementOf(context, call);
      const { places, key, granted } = replacement;
      await assertReady(context, call, replacement);
      haveOwnRoot(places.root);
      if (await mayWrite(context, call, replacement)) await writeWhole(granted, '');
      if (existsSync(key.live)) moveKey(key.live, key.old);
    },
    undo: async (call) => {
      const replacement = replacementOf(context, call);
      const { driver, places, key, granted } = replacement;
      const state = isOver(call) ? overStateOf(places, driver.inPlace.over) : undefined;
      if (state === 'half over') return tellHalfOver(context, replacement);
      if (existsSync(key.old)) {
        if (existsSync(key.live)) throw new HoldfastError('refused', `something came to ${key.live} meanwhile`);
        moveKey(key.old, key.live);
      }
      const isBack = existsSync(key.live) && existsSync(granted);
      if (isBack && !(await mayWrite(context, call, replacement)))
        await driver.inPlace.takeOver({ ...context, signal: call.signal }, places.live);
      if (state === 'untouched') await removeOwn(places.root);
    },
  };
}

/** What a server starts with belongs to what was overwritten: it would start on halves. */
function tellHalfOver({ listener }: ComponentContext, { component, places: { live } }: Replacement): void {
  const message = `${live} was restored over in part: nothing starts it until it is restored by --delta --without-undo, to any moment`;
  listener({ kind: 'warning', during: 'plan', item: component, message });
}

/** A plan may have waited: what stands there then, and isn’t kept, is looked at once more. */
async function assertReady(context: ComponentContext, call: StepCall, { driver, places }: Replacement): Promise<void> {
  const { inPlace } = driver;
  if (isOver(call) && overStateOf(places, inPlace.over) === 'half over')
    return await inPlace.over.settle(places.live, { ...context, signal: call.signal });
  await inPlace.assertStopped(places.live);
  if (isOver(call)) await inPlace.assertOurs(places.live, streamOf(call));
}

function isOver({ step }: StepCall): boolean {
  return step.arguments['over'] === 'yes';
}

async function mayWrite(
  { stateFolder }: ComponentContext,
  call: StepCall,
  { driver, places }: Replacement,
): Promise<boolean> {
  return await driver.inPlace.mayWrite(stateFolder, { place: places.live, stream: streamOf(call) });
}

function streamOf({ step }: StepCall): string {
  return textOf(step.arguments['stream'], step.key);
}
