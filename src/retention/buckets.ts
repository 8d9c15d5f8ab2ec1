import { dateOfDay, dayOfDate } from '../bytes/calendar.ts';
import { goTimeOffset } from '../bytes/go-time.ts';
import { floorSeconds } from './duration.ts';
import type { DatedSnapshot, Period } from './keep.ts';

/** A number that two snapshots share when they lie in the same hour, day … of their own zones' calendars. */
export function bucketOf(period: Period, { time, timeNs }: DatedSnapshot): number {
  const local = floorSeconds(timeNs) + (goTimeOffset(time) ?? 0);
  const day = Math.floor(local / 86_400);
  if (period === 'hourly') return Math.floor(local / 3600);
  if (period === 'daily') return day;
  if (period === 'weekly') return isoWeek(day);
  const { year, month } = dateOfDay(day);
  switch (period) {
    case 'monthly':
      return year * 12 + month;
    case 'quarterly':
      return year * 4 + Math.floor((month - 1) / 3);
    case 'yearly':
      return year;
  }
}

/** Weeks begin on Monday and belong to the year of their Thursday; 1970-01-01 was a Thursday. */
function isoWeek(day: number): number {
  const thursday = Math.floor((day + 3) / 7) * 7;
  const { year } = dateOfDay(thursday);
  return year * 100 + Math.floor((thursday - dayOfDate(year, 1, 1)) / 7) + 1;
}
