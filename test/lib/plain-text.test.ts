import { expect, test } from 'vitest';
import { TerminalReporter } from '../../src/cli/terminal-reporter.ts';
import { plainText } from '../../src/lib/text/plain-text.ts';
import { Screen } from '../support/screen.ts';

test.each([
  ['kube-proxy:v1.36.2 – ünchanged\ttwice', 'kube-proxy:v1.36.2 – ünchanged\ttwice'],
  ['one\r\ntwo\n', 'one\ntwo\n'],
  ['denied\x1b[2K\x1b[1Aall is well', 'denied\ufffd[2K\ufffd[1Aall is well'],
  ['denied\rall is well', 'denied\ufffdall is well'],
  ['\x9b31mred\x07\0\b', '\ufffd31mred\ufffd\ufffd\ufffd'],
  ['pause\u202egpj.exe', 'pause\ufffdgpj.exe'],
  ['one\u2028two\u2029three\u061cfour', 'one\ufffdtwo\ufffdthree\ufffdfour'],
])('%j is shown as %j', (text, expected) => {
  expect(plainText(text)).toBe(expected);
});

test('nothing that a registry says reaches a terminal as a command', () => {
  const stdout = new Screen({});
  const stderr = new Screen({});
  const reporter = new TerminalReporter({ stdout, stderr, environment: { KEEL_DEBUG: '1', NO_COLOR: '1' } });
  const evil = 'x\x1b]0;title\x07\x1b[2J';
  reporter.section(evil);
  reporter.line(evil);
  reporter.detail(evil);
  reporter.warning(evil);
  reporter.error(evil, { file: evil, line: 1, column: 1 });
  reporter.close();
  const written = `${stdout.written}${stderr.written}`;
  expect(written.split('\n').filter((line) => line.includes('x\ufffd]0;title\ufffd\ufffd[2J'))).toHaveLength(
    5,
  );
  expect(written).not.toMatch(/(?!\n)\p{Cc}/u);
});
