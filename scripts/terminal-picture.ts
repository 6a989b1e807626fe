import { readFileSync, writeFileSync } from 'node:fs';

// Turns the output of a command into a page that looks like a terminal, for the picture in the README:
// node build/scripts/demo.js | node build/scripts/terminal-picture.js terminal.html
// and then chromium --headless --screenshot=docs/images/terminal.png --window-size=1000,640 terminal.html

const [, , page = 'terminal.html'] = process.argv;
const escaped = readFileSync(0, 'utf8').replaceAll('&', '&amp;').replaceAll('<', '&lt;');
const lines = escaped
  .split('\n')
  .map((line) => (line.startsWith('$ ') ? `<b>${line}</b>` : line))
  .join('\n');
const style =
  'body{margin:0;padding:18px 22px;background:#0d1117;color:#d1d7e0}' +
  'pre{margin:0;font:13px/1.45 "DejaVu Sans Mono",monospace;white-space:pre-wrap;overflow-wrap:anywhere}b{color:#7ee787}';
writeFileSync(page, `<!doctype html><meta charset="utf-8"><style>${style}</style><pre>${lines}</pre>\n`);
