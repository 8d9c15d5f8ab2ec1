import type { RawPath } from '../bytes/ids.ts';
import type { Clock } from '../clock/clock.ts';
import { HoldfastError } from '../errors/error.ts';
import { startProgram, type RunningProgram } from '../host/process.ts';
import { errorCode, reasonOf } from '../host/system-error.ts';
import { named } from './named.ts';
import { withoutSecrets } from '../secret/redact.ts';
import type { Source, WalkOptions } from './source.ts';
import { entriesOfOneFile } from './stream/one-file.ts';

/** Where a stream goes in the snapshot, and the time that it gets. */
export interface StreamPlace {
  readonly path: RawPath;
  readonly timeNs: bigint;
}

export interface CommandOptions extends StreamPlace {
  readonly program: string;
  readonly args: readonly string[];
  readonly clock: Clock;
  /** Whose it is, where it is a component’s. */
  readonly component?: string;
  /** 'allowed': a command that writes nothing succeeded all the same. */
  readonly empty?: 'allowed';
}

/**
 * What a command writes to standard output, as one file. The command starts when its output is first asked for. If
 * it can't be started, ends with another exit code than 0, is killed or writes nothing at all, the stream throws
 * 'source-failed' with its last words: half a dump must never look like one. What it writes to standard error is
 * told as notes 'command-said': {program, line}.
 */
export function commandSource(options: CommandOptions): Source {
  return {
    async *entries(walk) {
      yield* entriesOfOneFile({ ...options, stream: commandOutput(options, walk) });
    },
  };
}

/** An input that another program writes (--stdin): nothing tells whether that one succeeded. */
export function inputSource(place: StreamPlace, input: AsyncIterable<Uint8Array>): Source {
  return {
    async *entries() {
      yield* entriesOfOneFile({ ...place, stream: notEmpty(readable(input), 'standard input') });
    },
  };
}

async function* commandOutput(options: CommandOptions, walk: WalkOptions): AsyncGenerator<Uint8Array> {
  const { program, component, empty } = options;
  try {
    await using running = await start(options, walk);
    const output = succeeding(program, running, walk.signal);
    yield* empty === 'allowed' ? output : notEmpty(output, program);
  } catch (error) {
    throw component === undefined ? error : named(component, error, walk.signal);
  }
}

async function start(options: CommandOptions, { listener, signal }: WalkOptions): Promise<RunningProgram> {
  const { program } = options;
  const onErrorLine = (line: string): void =>
    listener({ kind: 'note', name: 'command-said', data: { program, line: withoutSecrets(line) } });
  try {
    return await startProgram(program, { ...options, signal, input: 'empty', onErrorLine });
  } catch (cause) {
    if (errorCode(cause) === undefined) throw cause;
    throw new HoldfastError('source-failed', `${program} can't be started: ${reasonOf(cause)}`, { cause });
  }
}

async function* succeeding(program: string, running: RunningProgram, signal: AbortSignal): AsyncGenerator<Uint8Array> {
  yield* running.output;
  const { status, how, lastWords } = await running.ended;
  signal.throwIfAborted();
  if (status === 'success') return;
  const words = lastWords.map((line) => `\n  ${withoutSecrets(line)}`).join('');
  throw new HoldfastError('source-failed', `${program} failed: ${how}${words}`);
}

async function* readable(input: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  try {
    yield* input;
  } catch (cause) {
    throw new HoldfastError('source-failed', `standard input can't be read: ${reasonOf(cause)}`, { cause });
  }
}

async function* notEmpty(stream: AsyncIterable<Uint8Array>, from: string): AsyncGenerator<Uint8Array> {
  let bytes = 0;
  for await (const chunk of stream) {
    bytes += chunk.length;
    yield chunk;
  }
  if (bytes === 0) throw new HoldfastError('source-failed', `${from} gave no data`);
}
