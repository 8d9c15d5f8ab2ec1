import type { Command } from './command.ts';
import { globals } from './globals.ts';
import { flagName, type Option, type Options } from './option.ts';

/** What `holdfast --help` prints. */
export function overview(commands: readonly Command[], unsupported: readonly string[]): string {
  const width = Math.max(...commands.map(({ name }) => name.length));
  return [
    'holdfast: encrypted, deduplicated backups in restic’s format',
    '',
    'The first backup:',
    '  export RESTIC_REPOSITORY=/srv/backup RESTIC_PASSWORD_FILE=/etc/holdfast/password',
    '  holdfast init',
    '  holdfast backup ~/documents',
    '  holdfast snapshots',
    '  holdfast restore latest --target /tmp/restored',
    '',
    'Commands (holdfast COMMAND --help explains one):',
    ...commands.map(({ name, summary }) => `  ${name.padEnd(width)}  ${summary}`),
    '',
    'Options of every command:',
    ...optionLines(globals),
    '',
    `Not supported by this version: ${unsupported.join(', ')}.`,
  ].join('\n');
}

/** What `holdfast COMMAND --help` prints: examples first. */
export function commandHelp(command: Command): string {
  const usage = ['holdfast', command.name, '[OPTIONS]', command.operands].filter((part) => part !== '');
  const own = optionLines(command.options);
  return [
    command.summary,
    '',
    'Examples:',
    ...command.examples.flatMap(({ line, does }) => [`  ${line}`, `      ${does}`]),
    '',
    `Usage: ${usage.join(' ')}`,
    ...(command.about ?? []).flatMap((paragraph) => ['', ...wrapped(paragraph)]),
    ...(own.length === 0 ? [] : ['', 'Options:', ...own]),
    '',
    'Options of every command: -r, -p, --json, -q, -v and more (holdfast --help).',
  ].join('\n');
}

function optionLines(options: Options): readonly string[] {
  const rows = Object.entries(options)
    .filter(([, option]) => option.unsupported === undefined)
    .map(([key, option]) => ({ left: spelled(key, option), right: explained(option) }));
  const width = Math.min(34, Math.max(0, ...rows.map(({ left }) => left.length)));
  return rows.map(({ left, right }) => `  ${left.padEnd(width)}  ${right}`);
}

function spelled(key: string, option: Option<unknown>): string {
  const short = option.short === undefined ? '    ' : `-${option.short}, `;
  return `${short}${flagName(key)}${option.value === undefined ? '' : ` ${option.value}`}`;
}

function explained(option: Option<unknown>): string {
  const facts = [
    ...(option.choices === undefined ? [] : [option.choices.join(', ')]),
    ...(option.takes === 'many' ? ['repeatable'] : []),
    ...(option.environment === undefined ? [] : [`$${option.environment}`]),
    ...(option.fallback === undefined ? [] : [`default: ${option.fallback}`]),
  ];
  return facts.length === 0 ? option.says : `${option.says} (${facts.join('; ')})`;
}

function wrapped(paragraph: string): readonly string[] {
  const lines: string[] = [];
  let line = '';
  for (const word of paragraph.split(' ')) {
    if (line.length + word.length > 98) {
      lines.push(line);
      line = '';
    }
    line = line === '' ? word : `${line} ${word}`;
  }
  return [...lines, line];
}
