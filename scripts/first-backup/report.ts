import { styleText } from 'node:util';

/** The lines of the report; colours only where the terminal shows them. */
export function line(text: string): void {
  console.log(text);
}

export function heading(text: string): void {
  line(`\n${styleText(['bold', 'cyan'], text)}`);
}

export function row(label: string, value: string): void {
  line(`  ${label.padEnd(24)}${value}`);
}

export function outcome(kind: 'proven' | 'failed' | 'not run' | 'not known', text: string): void {
  const mark = {
    'proven': styleText(['bold', 'green'], '✔'),
    'failed': styleText(['bold', 'red'], '✖ FAILED'),
    'not run': styleText('yellow', '- NOT RUN'),
    'not known': styleText('yellow', '? COULD NOT VERIFY'),
  }[kind];
  line(`  ${mark} ${text}`);
}

export function mebibytes(bytes: number): string {
  return `${(bytes / 2 ** 20).toFixed(1)} MiB`;
}

export function seconds(milliseconds: number): string {
  return `${(milliseconds / 1000).toFixed(2)} s`;
}
