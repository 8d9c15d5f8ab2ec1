import type { Command } from './command.ts';
import { globals } from './globals.ts';
import { flagName, type Options } from './option.ts';

type Script = (commands: readonly Command[]) => string;

/** What completes commands, options and values, from the definitions; one for each shell. */
export const completionScripts: Readonly<Record<string, Script>> = { bash, zsh, fish };

interface Shown {
  readonly name: string;
  readonly flags: readonly string[];
}

function shown(command: Command): Shown {
  return { name: command.name, flags: flagsOf({ ...command.options, ...globals }) };
}

function flagsOf(options: Options): readonly string[] {
  return Object.entries(options)
    .filter(([, option]) => option.unsupported === undefined)
    .map(([key]) => flagName(key));
}

/** Options whose values are known, as `--flag` → words. */
function choices(commands: readonly Command[]): readonly (readonly [string, readonly string[]])[] {
  const all = [globals, ...commands.map(({ options }) => options)].flatMap((options) => Object.entries(options));
  const known = all.flatMap(([key, { choices: words }]) =>
    words === undefined ? [] : [[flagName(key), words] as const],
  );
  return [...new Map(known)];
}

function bash(commands: readonly Command[]): string {
  const names = commands.map(({ name }) => name);
  const first = [...new Set(names.map((name) => name.split(' ')[0] ?? name))];
  return `# bash completion for holdfast
_holdfast() {
  local word=\${COMP_WORDS[COMP_CWORD]} before=\${COMP_WORDS[COMP_CWORD-1]} command= i
  for ((i = 1; i < COMP_CWORD; i++)); do
    case "$command \${COMP_WORDS[i]}" in
${[...first, ...names].map((name) => `      *" ${name}") command=${JSON.stringify(name)} ;;`).join('\n')}
    esac
  done
  case $before in
${choices(commands)
  .map(([name, words]) => `    ${name}) COMPREPLY=($(compgen -W "${words.join(' ')}" -- "$word")); return ;;`)
  .join('\n')}
  esac
  if [[ $word != -* ]]; then
    case $command in
      "") COMPREPLY=($(compgen -W "${first.join(' ')}" -- "$word")); return ;;
${first
  .filter((name) => !names.includes(name))
  .map(
    (name) =>
      `      ${name}) COMPREPLY=($(compgen -W "${names
        .filter((each) => each.startsWith(`${name} `))
        .map((each) => each.slice(name.length + 1))
        .join(' ')}" -- "$word")); return ;;`,
  )
  .join('\n')}
      *) COMPREPLY=($(compgen -f -- "$word")); return ;;
    esac
  fi
  case $command in
${commands
  .map(shown)
  .map(({ name, flags }) => `    ${JSON.stringify(name)}) COMPREPLY=($(compgen -W "${flags.join(' ')}" -- "$word")) ;;`)
  .join('\n')}
    *) COMPREPLY=($(compgen -W "${flagsOf(globals).join(' ')}" -- "$word")) ;;
  esac
}
complete -o filenames -F _holdfast holdfast
`;
}

function zsh(commands: readonly Command[]): string {
  return `#compdef holdfast\nautoload -U +X bashcompinit && bashcompinit\n${bash(commands)}`;
}

function fish(commands: readonly Command[]): string {
  const quoted = (text: string): string => `'${text.replaceAll(/['\\]/g, String.raw`\$&`)}'`;
  const names = commands.map(({ name, summary }) => ({ words: name.split(' '), summary }));
  const lines = names.map(({ words: [first = '', second], summary }) =>
    second === undefined
      ? `complete -c holdfast -n __fish_use_subcommand -f -a ${first} -d ${quoted(summary)}`
      : `complete -c holdfast -n '__fish_seen_subcommand_from ${first}' -f -a ${second} -d ${quoted(summary)}`,
  );
  const groups = new Set(names.flatMap(({ words }) => (words.length > 1 ? words.slice(0, 1) : [])));
  const groupLines = [...groups].map((name) => `complete -c holdfast -n __fish_use_subcommand -f -a ${name}`);
  const options = commands.flatMap((command) =>
    fishOptions(command.options, `-n '__fish_seen_subcommand_from ${command.name.split(' ').at(-1) ?? ''}'`, quoted),
  );
  return `${[...lines, ...groupLines, ...fishOptions(globals, '', quoted), ...options].join('\n')}\n`;
}

function fishOptions(options: Options, condition: string, quoted: (text: string) => string): readonly string[] {
  return Object.entries(options)
    .filter(([, option]) => option.unsupported === undefined)
    .map(([key, option]) => {
      const short = option.short === undefined ? '' : ` -s ${option.short}`;
      const value =
        option.value === undefined
          ? ''
          : option.choices === undefined
            ? ' -r'
            : ` -x -a ${quoted(option.choices.join(' '))}`;
      return `complete -c holdfast ${condition} -l ${flagName(key).slice(2)}${short}${value} -d ${quoted(option.says)}`;
    });
}
