import type { HeldBack } from '../repository/held-back.ts';
import type { Console } from './console.ts';
import { formatBytes, formatTime, jsonTime, plural } from './format.ts';

/** What of the room that was taken doesn't return yet; nothing where all did. */
export function showHeldBack(held: HeldBack | undefined, console: Console): void {
  if (held === undefined) return;
  if (console.form === 'json') console.record(recordOf(held));
  else for (const line of linesOf(held)) console.say(line);
}

function recordOf({ objects, bytes, locked, lockedUntilNs, freedObjects }: HeldBack): unknown {
  return {
    message_type: 'old_versions',
    freed: { objects: freedObjects },
    held: { objects, bytes },
    locked: { ...locked },
    ...(lockedUntilNs === undefined ? {} : { locked_until: jsonTime(lockedUntilNs) }),
  };
}

function* linesOf({ objects, bytes, locked, lockedUntilNs, freedObjects }: HeldBack): Generator<string> {
  if (objects === 0) return;
  const free = freedObjects === 0 ? 'nothing is free yet' : `only ${plural(freedObjects, 'object')} made room`;
  yield `of what was removed ${free}: ${plural(objects, 'object')}, ${formatBytes(bytes)}, hidden by markers, make room once their old versions are removed (by a lifecycle rule)`;
  if (lockedUntilNs === undefined) return;
  yield `of these ${plural(locked.objects, 'object')}, ${formatBytes(locked.bytes)}, are locked, the last until ${formatTime(lockedUntilNs)}`;
}
