import * as z from 'zod';
import { commandLine } from '../../source/kinds.ts';
import { span, text } from './values.ts';

const unit = text.regex(/^[A-Za-z0-9:_.@\\-]+$/).meta({ title: 'a unit of systemd', examples: ['nginx.service'] });
const url = text.regex(/^https?:\/\/[^@]+$/).meta({
  title: 'an address of http or https, without a password',
  examples: ['http://localhost:8080/health'],
});

/** What is to be done around a restore in place. */
export const restoring = z
  .strictObject({
    service: unit.optional().meta({ description: 'is stopped before, and started after it' }),
    stop: commandLine.optional().meta({ description: 'a command that stops what uses the files; may run twice' }),
    start: commandLine.optional().meta({ description: 'a command that starts it again; may run twice' }),
    running: commandLine.optional().meta({ description: 'a command; exit code 0 says that it runs' }),
    health: url.optional().meta({ description: 'has to answer with 2xx afterwards, else all is brought back' }),
    within: span.optional().meta({ description: 'how long stopping, starting and health may take each; 5 minutes' }),
    approval: z
      .literal('another-person')
      .optional()
      .meta({ description: 'somebody other than who asked for it has to approve' }),
  })
  .superRefine((given, context) => {
    const has = (key: string): boolean => key in given;
    if (has('stop') !== has('start'))
      context.addIssue({ code: 'custom', message: 'needs stop and start both: what is stopped is started again' });
    if (has('service') && has('stop'))
      context.addIssue({ code: 'custom', message: 'service and stop can’t stand together', path: ['stop'] });
    if (has('running') && !has('stop'))
      context.addIssue({ code: 'custom', message: 'needs stop and start', path: ['running'] });
  })
  .meta({ title: 'what surrounds a restore in place', examples: [{ service: 'nginx.service' }] });
