import { changed, fine, settingOf, type Looked, type PlannedItem } from './planning.ts';

/** What a backup can’t make up for, and what is good to know of the server. Nothing of it is changed here. */
export function planSafety(looked: Looked): readonly PlannedItem[] {
  return [
    ...durability(looked),
    checksums(looked),
    ...summaries(looked),
    segments(looked),
    clock(looked),
    disk(looked),
  ];
}

function durability({ facts }: Looked): readonly PlannedItem[] {
  const whys = {
    fsync: 'after a crash of its host the cluster may be damaged, and so is each backup from then on',
    full_page_writes: 'after a crash of its host pages may be torn, and so are they in each backup from then on',
  } as const;
  return (['fsync', 'full_page_writes'] as const).map((name) => {
    if (settingOf(facts, name).value !== 'off') return fine(name, 'on');
    const lines = { where: 'psql', text: [`alter system set ${name} = on;`] };
    return { name, state: 'advice', found: 'off', wanted: 'on', why: whys[name], effect: 'reload', lines };
  });
}

function checksums({ facts }: Looked): PlannedItem {
  const name = 'data checksums';
  if (facts.dataChecksums === 'on') return fine(name, 'on');
  return {
    name,
    state: 'advice',
    found: 'off',
    wanted: 'on',
    why: 'without them a damaged page is backed up as it is, and no verification can tell; they take a stop of the server',
    effect: 'restart',
    lines: { where: 'the server’s host, while it is stopped', text: ['pg_checksums --enable -D DATA_DIRECTORY'] },
  };
}

/** Backups are as good without: where Holdfast may not set it, it is advice. */
function summaries({ facts, reads }: Looked): readonly PlannedItem[] {
  const name = 'summarize_wal';
  if (facts.major < 17 || reads !== 'protocol') return [];
  if (settingOf(facts, name).value === 'on') return [fine(name, 'on')];
  const why = 'the server then sends what changed since the backup before, in place of everything';
  const planned = changed(facts, { name, value: 'on', effect: 'reload', why });
  return [planned.state === 'to apply' ? planned : { ...planned, state: 'advice' }];
}

function segments({ facts }: Looked): PlannedItem {
  return fine('wal_segment_size', `${facts.segmentBytes / 2 ** 20} MiB`);
}

/** More is no jitter of a network. */
const mostSeconds = 2;

function clock({ facts }: Looked): PlannedItem {
  const { aheadSeconds, withinSeconds } = facts.clock;
  const off = Math.abs(aheadSeconds);
  if (off <= mostSeconds + withinSeconds) return fine('clock', 'the server’s is ours');
  return {
    name: 'clock',
    state: 'advice',
    found: `the server’s is ${off.toFixed(1)} s ${aheadSeconds > 0 ? 'before' : 'behind'} that of this host`,
    wanted: 'the same time',
    why: 'a restore for a moment goes by the server’s clock, the age of backups by this host’s',
    lines: { where: 'both hosts', text: ['timedatectl set-ntp true'] },
  };
}

function disk({ here }: Looked): PlannedItem {
  if (here.state !== 'here') return fine('disk', `not seen: ${here.reason}`);
  const gib = (bytes: number): string => `${(bytes / 2 ** 30).toFixed(1)} GiB`;
  const { data, log } = here.freeBytes;
  return fine('disk', `free below the data directory ${gib(data)}, below pg_wal ${gib(log)}`);
}
