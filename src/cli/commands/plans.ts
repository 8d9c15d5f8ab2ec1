import { command } from '../command.ts';

/** Those of every command are enough. */
export const planOptions = {} as const;

const byHash = 'A plan is named by the beginning of its hash; without it the only open one is meant.';

export const confirm = command({
  name: 'confirm',
  summary: 'Keep what a restore in place brought, and remove what it replaced',
  operands: '[PLAN]',
  worksOn: 'a policy',
  examples: [
    {
      line: 'holdfast confirm',
      does: 'After it no undo is possible; `forget` keeps the safety backup for 30 days more.',
    },
  ],
  about: [byHash],
  options: planOptions,
});

export const undo = command({
  name: 'undo',
  summary: 'Bring back what a restore in place replaced',
  operands: '[PLAN]',
  worksOn: 'a policy',
  examples: [{ line: 'holdfast undo', does: 'Stops, changes back and starts again, step by step.' }],
  about: [byHash, 'A plan that is still under way is turned back; what was stopped runs again.'],
  options: planOptions,
});

export const approve = command({
  name: 'approve',
  summary: 'Approve of a plan that somebody else made',
  operands: 'PLAN',
  worksOn: 'a policy',
  examples: [{ line: 'holdfast approve 3f1c9a72be04', does: 'Then who made it runs the same command again.' }],
  about: ['Under sudo the person is who called it. What was approved is what runs: the hash is of the whole plan.'],
  options: planOptions,
});

export const planList = command({
  name: 'plan list',
  summary: 'Show the plans of this host and how far they are',
  operands: '',
  worksOn: 'a policy',
  examples: [{ line: 'holdfast plan list', does: 'Open ones wait for a command, for a person, or for `confirm`.' }],
  options: planOptions,
});

export const planShow = command({
  name: 'plan show',
  summary: 'Show a plan, its steps and what became of each',
  operands: '[PLAN]',
  worksOn: 'a policy',
  examples: [{ line: 'holdfast plan show 3f1c9a72be04 --json', does: 'The plan and its journal.' }],
  about: [byHash],
  options: planOptions,
});

export const planTick = command({
  name: 'plan tick',
  summary: 'Say that a step was done by hand',
  operands: 'PLAN STEP',
  worksOn: 'a policy',
  examples: [{ line: 'holdfast plan tick 3f1c9a72be04 call-customer', does: 'Who and when goes into the journal.' }],
  options: planOptions,
});
