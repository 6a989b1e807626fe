import { Command } from 'commander';
import { describe, expect, test } from 'vitest';
import { helpEnding, refuseUnknownCommand, requireKnownHelp } from '../../src/cli/help.ts';

/** A program with two commands that throws where it would end the process. */
function program(): Command {
  const tool = new Command('tool').exitOverride().configureOutput({ writeErr: () => undefined });
  tool.command('sync');
  tool.command('check');
  return tool;
}

describe('the end of a help', () => {
  const codes = [
    { codes: '0', meaning: 'Success' },
    { codes: '130, 143', meaning: 'Stopped' },
  ];

  test('has examples and exit codes', () => {
    expect(helpEnding(['tool sync', 'tool check'], codes)).toBe(
      [
        '',
        'Examples:',
        '  tool sync',
        '  tool check',
        '',
        'Exit codes:',
        '  0         Success',
        '  130, 143  Stopped',
      ].join('\n'),
    );
  });

  test('has exit codes alone where there is no example', () => {
    expect(helpEnding([], codes)).toBe('\nExit codes:\n  0         Success\n  130, 143  Stopped');
  });
});

test.each([
  ['snyc', "error: unknown command 'snyc'\n(Did you mean sync?)"],
  ['frobnicate', "error: unknown command 'frobnicate'\n(Known: sync, check)"],
])('an unknown command such as %s is refused with what helps', (word, message) => {
  expect(() => refuseUnknownCommand(program(), word)).toThrow(message);
});

describe('help', () => {
  test.each([
    [[]],
    [['help']],
    [['help', 'sync']],
    [['help', 'help']],
    [['help', '--json']],
    [['sync', 'nosuch']],
  ])('is given for %j', (line) => {
    expect(() => requireKnownHelp(program(), line)).not.toThrow();
  });

  test('of a command that is not there is refused', () => {
    expect(() => requireKnownHelp(program(), ['help', 'chekc'])).toThrow('Did you mean check?');
  });
});
