import { command } from '../command.ts';

export const completion = command({
  name: 'completion',
  summary: 'Print completion for a shell',
  operands: 'bash | zsh | fish',
  worksOn: 'anything',
  examples: [
    {
      line: 'holdfast completion bash > /etc/bash_completion.d/holdfast',
      does: 'Commands, options and their values complete with Tab.',
    },
  ],
  options: {},
});
