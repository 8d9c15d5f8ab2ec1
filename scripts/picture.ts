import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/**
 * `npm -s start | node scripts/picture.ts`: draws a terminal's text, read from standard input, for the README: its three
 * parts as docs/first-backup.svg, docs/first-team.svg and docs/first-moment.svg. The folders of that run, which differ
 * each time, get plain names.
 */
const fontSize = 13;
const lineHeight = 18;
const margin = 20;
const charWidth = 7.83;

const report = readFileSync(0, 'utf8').replaceAll(/\S*\/holdfast-(first-[a-z]+)-\w+/g, '/tmp/$1');
const parts = report.split(/^(?=Holdfast: )/m).filter((part) => part.trim() !== '');
for (const [at, name] of ['first-backup', 'first-team', 'first-moment'].entries()) {
  const path = join(import.meta.dirname, `../docs/${name}.svg`);
  writeFileSync(path, drawn((parts[at] ?? '').trimEnd().split('\n')));
}

function drawn(lines: readonly string[]): string {
  const width = Math.ceil(Math.max(...lines.map((text) => text.length)) * charWidth + 2 * margin);
  const height = lines.length * lineHeight + 2 * margin;
  const svg = [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}">`,
    `<rect width="100%" height="100%" rx="8" fill="#14181d"/>`,
    `<g font-family="ui-monospace, 'DejaVu Sans Mono', Menlo, Consolas, monospace" font-size="${fontSize}">`,
    ...lines.map((text, i) => row(text, margin + (i + 1) * lineHeight - 5)),
    '</g>',
    '</svg>',
  ];
  return `${svg.join('\n')}\n`;
}

function row(text: string, y: number): string {
  const bold = /^(Holdfast|\d+ |No lock-in)/.test(text) ? ' font-weight="bold"' : '';
  return `<text x="${margin}" y="${y}" xml:space="preserve" fill="${colourOf(text)}"${bold}>${escaped(text)}</text>`;
}

function colourOf(text: string): string {
  if (text.includes('✔')) return '#7ee2a8';
  if (text.includes('✗')) return '#f2a0a0';
  return /^\S/.test(text) ? '#ffffff' : '#c3ccd6';
}

function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}
