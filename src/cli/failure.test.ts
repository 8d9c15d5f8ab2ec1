import assert from 'node:assert/strict';
import { test } from 'node:test';
import { HoldfastError } from '../errors/error.ts';
import { reportFailure } from './failure.ts';

test('what was interrupted is told by the signal, unless the work says what is to be done then', () => {
  const reason = new HoldfastError('interrupted', 'stopped by SIGINT');
  const said = (error: unknown): string => {
    const complaints: string[] = [];
    const console = { verbosity: 0, complain: (text: string) => void complaints.push(text) } as const;
    assert.equal(reportFailure(error, AbortSignal.abort(reason), console), 130);
    return complaints.join('\n');
  };
  assert.match(said(new HoldfastError('interrupted', 'the writer was closed')), /by SIGINT\n {2}Run the same command/);
  const next = 'Restore into another, empty folder.';
  assert.match(
    said(new HoldfastError('interrupted', reason.message, { cause: reason, next })),
    /by SIGINT\n {2}Restore into another/,
  );
});
