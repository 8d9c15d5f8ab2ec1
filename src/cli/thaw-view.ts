import type { ArchivedObject, ThawTier, UsualTime } from '../storage/archive.ts';
import type { ThawPlan } from '../storage/thaw.ts';
import type { Console } from './console.ts';
import { formatBytes, plural } from './format.ts';

/** What has to come out of an archive, how long that takes and what is known of its price. */
export function tellThaw(plan: ThawPlan, console: Pick<Console, 'form' | 'say' | 'record'>): void {
  if (console.form === 'json') console.record(record(plan));
  else for (const line of lines(plan)) console.say(line);
}

interface Sum {
  readonly packs: number;
  readonly bytes: number;
}

function sumOf(objects: readonly ArchivedObject[]): Sum {
  return { packs: objects.length, bytes: objects.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0) };
}

function dataPrice({ toRetrieve, wishes: { pricePerGib } }: ThawPlan): number | undefined {
  return pricePerGib === undefined ? undefined : (pricePerGib * sumOf(toRetrieve).bytes) / 1024 ** 3;
}

function* lines(plan: ThawPlan): Generator<string> {
  const { url, toRetrieve, toKeep, underWay, thawed, wishes } = plan;
  const all = [...toRetrieve, ...toKeep, ...underWay, ...thawed];
  const days = plural(wishes.days, 'day');
  yield `in the archive of ${url}: ${words(all)} that are needed`;
  for (const [storageClass, objects] of Map.groupBy(toRetrieve, (object) => object.storageClass))
    yield `  to ask for: ${words(objects)} of the class ${storageClass}, tier ${wishes.tier}, for ${days}`;
  if (toKeep.length > 0) yield `  to keep readable: ${words(toKeep)}, for ${days} from now`;
  if (underWay.length > 0) yield `  asked for already: ${words(underWay)}`;
  if (thawed.length > 0) yield `  readable now: ${words(thawed)}`;
  if (toRetrieve.length + underWay.length > 0) yield `  time: ${timeWords(plan.usualTime, wishes.tier)}`;
  if (toRetrieve.length + toKeep.length > 0) yield `  price: ${priceWords(plan)}`;
}

function words(objects: readonly ArchivedObject[]): string {
  const { packs, bytes } = sumOf(objects);
  return `${plural(packs, 'pack')} (${formatBytes(bytes)})`;
}

function timeWords(time: UsualTime | undefined, tier: ThawTier): string {
  if (time === undefined)
    return `not known: the vendor's documentation says nothing of the tier ${tier} for this class`;
  const least = time.leastMs > 0 ? `${duration(time.leastMs)} to ` : 'up to ';
  return `usually ${least}${duration(time.mostMs)}, by the vendor's documentation (AWS)`;
}

function duration(ms: number): string {
  const minutes = Math.round(ms / 60_000);
  return minutes < 60 ? plural(minutes, 'minute') : plural(minutes / 60, 'hour');
}

function priceWords(plan: ThawPlan): string {
  const { toRetrieve, toKeep, wishes } = plan;
  const asked = sumOf([...toRetrieve, ...toKeep]);
  const bytes = formatBytes(sumOf(toRetrieve).bytes);
  const kept = `${formatBytes(asked.bytes)} in a readable class for ${plural(wishes.days, 'day')}`;
  const rest = `${plural(asked.packs, 'request')}, and ${kept}`;
  const price = dataPrice(plan);
  if (price === undefined) return `not known (-o s3.thaw-price): ${bytes} to retrieve, ${rest}`;
  return `${price.toFixed(2)} for ${bytes} at ${wishes.pricePerGib} a GiB, as you said; not known: ${rest}`;
}

function record(plan: ThawPlan): unknown {
  const { url, wishes, toRetrieve, toKeep, underWay, thawed, usualTime } = plan;
  const all = [...toRetrieve, ...toKeep, ...underWay, ...thawed];
  return {
    message_type: 'thaw',
    storage: url,
    allowed: wishes.permission === 'given',
    tier: wishes.tier,
    days: wishes.days,
    classes: [...new Set(all.map(({ storageClass }) => storageClass))],
    to_retrieve: sumOf(toRetrieve),
    to_keep: sumOf(toKeep),
    under_way: sumOf(underWay),
    thawed: sumOf(thawed),
    usual_seconds: usualTime === undefined ? null : [usualTime.leastMs / 1000, usualTime.mostMs / 1000],
    price_per_gib: wishes.pricePerGib ?? null,
    data_price: dataPrice(plan) ?? null,
  };
}
