import * as z from 'zod';
import { count, span } from './values.ts';

/** What is wanted of the components of a tier. */
export const objective = z
  .strictObject({
    'rpo': span.optional().meta({ description: 'at most so much time may be lost', examples: ['15m'] }),
    'rto': span.optional().meta({ description: 'at most so long may recovery take', examples: ['1h'] }),
    'copies': count.optional().meta({ description: 'in how many places, production among them' }),
    'media': count.optional().meta({ description: 'on how many kinds of media, production’s disk among them' }),
    'offsite': z.int().min(0).optional().meta({ description: 'how many copies stand at another site' }),
    'immutable': z.int().min(0).optional().meta({ description: 'how many copies nobody can remove' }),
    'proof': span
      .optional()
      .meta({ description: 'how old the newest restore that was checked may be', examples: ['1d'] }),
    'proof-each': span.optional().meta({ description: 'the same for every copy', examples: ['30d'] }),
  })
  .meta({ title: 'objectives', examples: [{ rpo: '2h', rto: '8h', copies: 2 }] });
