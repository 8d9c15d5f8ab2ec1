/**
 * Keeps secrets out of what others say. Servers and programs may repeat what they were given: in an error, a header, a
 * usage line. Whatever they say passes through `withoutSecrets` before it becomes part of a message, an event or a
 * record. What Holdfast itself says holds no secret in the first place, and the user's data is never touched.
 */
const forms = new Map<string, Set<string>>();
let pattern: RegExp | undefined;

/** So short a text stands in other words too. */
const leastCharacters = 4;
/** A key of several lines comes back line by line; shorter ones could be anything. */
const leastOfLine = 8;
const mostCharacters = 64 * 1024;

/** From now on this text, and the forms that programs give it, are left out of others' words. */
export function neverShow(secret: string): void {
  if (forms.has(secret)) return;
  const lines = secret.split(/[\r\n]+/).filter((line) => line.length >= leastOfLine);
  const texts = [secret.trim(), ...lines].filter(({ length }) => length >= leastCharacters && length <= mostCharacters);
  forms.set(secret, new Set(texts.flatMap(formsOf)));
  pattern = undefined;
}

const telling = /pass|secret|token|credential|key|auth/i;

/** Variables whose names tell that they hold secrets. A path is where one is, and no secret. */
export function neverShowEnvironment(environment: Readonly<Record<string, string | undefined>>): void {
  for (const [name, value = ''] of Object.entries(environment))
    if (telling.test(name) && value.length >= leastOfLine && !value.startsWith('/')) neverShow(value);
}

const hidden = '***';

export function withoutSecrets(words: string): string {
  pattern ??= patternOf([...forms.values()].flatMap((texts) => [...texts]));
  return words
    .replaceAll(/([a-z][a-z0-9+.-]*:\/\/[^\s/@:]*:)[^\s@]*@/gi, `$1${hidden}@`)
    .replaceAll(/(authorization\W{1,6}\w+\s+)[^\s"',]+/gi, `$1${hidden}`)
    .replaceAll(/((?:pass(?:word|phrase|wd)?|secret|token|access[_-]?key)\w*=)["']?[^\s"',;&]+/gi, `$1${hidden}`)
    .replaceAll(pattern, hidden);
}

/** The longest first: of a password that begins with another nothing shall stay. */
function patternOf(texts: readonly string[]): RegExp {
  const longestFirst = texts.toSorted((a, b) => b.length - a.length);
  return texts.length === 0 ? /(?!)/g : new RegExp(longestFirst.map((text) => RegExp.escape(text)).join('|'), 'gi');
}

function formsOf(text: string): readonly string[] {
  const bytes = Buffer.from(text);
  const json = JSON.stringify(text).slice(1, -1);
  const xml = text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
  const shell = text.replaceAll("'", String.raw`'\''`);
  return [
    ...[text, json, JSON.stringify(json).slice(1, -1), xml, xml.replaceAll('"', '&quot;'), shell],
    ...[
      encodeURIComponent(text.toWellFormed()),
      encodeURI(text.toWellFormed()),
      new URLSearchParams({ '': text }).toString().slice(1),
    ],
    ...[bytes.toString('hex'), ...base64Forms(bytes)],
  ];
}

/** By how many bytes stand before it; without the letters that neighbours touch. */
function base64Forms(bytes: Buffer): readonly string[] {
  return [0, 1, 2].flatMap((before) => {
    const length = before + bytes.length;
    const text = Buffer.concat([Buffer.alloc(before), bytes]).toString('base64');
    const own = text.slice(Math.ceil((before * 8) / 6), Math.floor((length * 8) / 6));
    const forUrls = own.replaceAll('+', '-').replaceAll('/', '_');
    return own.length < leastOfLine ? [] : [own, forUrls];
  });
}
