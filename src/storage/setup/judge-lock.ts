import type { BucketLock, Versioning } from '../setup.ts';
import type { Statement } from '../statement.ts';
import type { Retention } from '../versions.ts';
import { daysOf } from './days.ts';
import type { Answer } from './question.ts';

/** `wish`: what is to be locked (-o s3.lock). */
export function judgeVersioning(answer: Answer<Versioning>, wish: Retention | undefined): Statement {
  const about = 'versioning';
  if (!answer.known && answer.because === 'refused')
    return { about, state: 'unknown', text: 'whether the bucket keeps old versions', detail: answer.why };
  const versioning = answer.known ? answer.answer : 'off';
  if (versioning === 'on') return { about, state: 'ok', text: 'the bucket keeps old versions' };
  const text =
    versioning === 'suspended'
      ? 'the bucket has stopped keeping old versions'
      : answer.known
        ? 'the bucket keeps no old versions'
        : 'the server keeps no old versions';
  return wish
    ? { about, state: 'failed', text, detail: 'so nothing can be locked there: switch versioning on' }
    : { about, state: 'warning', text, detail: 'what is removed or written over is gone, whoever did it' };
}

export function judgeLock(answer: Answer<BucketLock>, wish: Retention | undefined): Statement {
  const about = 'object-lock';
  if (!answer.known && answer.because === 'refused')
    return { about, state: 'unknown', text: 'whether the bucket can lock objects', detail: answer.why };
  if (!answer.known || answer.answer.state === 'off') {
    const text = answer.known ? 'Object Lock is off' : 'the server knows no Object Lock';
    return wish
      ? { about, state: 'failed', text, detail: 'so -o s3.lock protects nothing there' }
      : { about, state: 'warning', text, detail: 'who has the credentials for removals can destroy what is stored' };
  }
  return judgeRetention(answer.answer.byDefault, wish);
}

function judgeRetention(byDefault: Retention | undefined, wish: Retention | undefined): Statement {
  const about = 'object-lock';
  const itself = byDefault && `by itself it locks each object for ${shown(byDefault)}`;
  if (wish) {
    const text = `Object Lock is on, and -o s3.lock locks for ${shown(wish)}`;
    return { about, state: 'ok', text, ...(itself !== undefined && { detail: itself }) };
  }
  if (itself === undefined) {
    const detail = 'nothing is locked without -o s3.lock=30d';
    return { about, state: 'warning', text: 'Object Lock is on, and the bucket locks nothing by itself', detail };
  }
  const detail = 'locks of packs that later snapshots still need end all the same: -o s3.lock moves them';
  return { about, state: 'warning', text: `Object Lock is on: ${itself}`, detail };
}

function shown({ ms, mode }: Retention): string {
  return `${daysOf(ms)} in ${mode} mode${mode === 'governance' ? ', which is not against an administrator' : ''}`;
}
