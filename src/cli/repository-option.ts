import { text } from './option.ts';

/** Of commands that work on a repository as a whole. */
export const repositoryOption = {
  repository: text('name', 'which repository of the policy, where it has several'),
} as const;
