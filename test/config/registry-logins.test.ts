import { describe, expect, it } from 'vitest';
import { createSynctlProgram } from '../../src/cli/synctl-command-line.ts';
import { parseLogins } from '../../src/config/flags/registry-logins.ts';
import { describeFailure } from '../../src/lib/failure.ts';
import { parsePackSettings } from '../../src/pack/settings.ts';
import { parsePushSettings } from '../../src/publish/push-settings.ts';
import { parseSyncSettings } from '../../src/sync/settings.ts';
import { Screen } from '../support/screen.ts';

const LINES = `
quay.io robot hush-1
  registry.example:5000   robot$mirror   pass word, with "all" of it  

`;

/** What `packer push` cannot do without. */
const NEEDED = [
  ['pkg-uri', 'kube.tar.gz'],
  ['repo', 'none'],
] as const;

describe('logins at further registries', () => {
  it('stand one on a line, with passwords of any characters', () => {
    expect(parseLogins(LINES, 'test')).toEqual([
      { host: 'quay.io', username: 'robot', password: 'hush-1' },
      { host: 'registry.example:5000', username: 'robot$mirror', password: 'pass word, with "all" of it' },
    ]);
    expect(parseLogins('a.example me hush\r\nb.example me hush\r\n', 'test')).toHaveLength(2);
  });

  it.each([
    ['quay.io robot', 'line 1 is not HOST USERNAME PASSWORD'],
    ['quay.io robot hush\nhush-2', 'line 2 is not HOST USERNAME PASSWORD'],
    ['hush/hush-2! quay.io robot', 'line 1 is not HOST USERNAME PASSWORD'],
    ['quay.io a hush\n\nquay.io b hush-2', 'line 3 is a second login for quay.io'],
  ])('%j are refused, and not repeated', (text, message) => {
    expect(() => parseLogins(text, 'test')).toThrow(
      expect.objectContaining({ code: 'FLAG_MALFORMED', message }),
    );
    try {
      parseLogins(text, 'test');
    } catch (error) {
      expect(describeFailure(error)).not.toContain('hush');
    }
  });

  it('are no argument of a command line', async () => {
    const screen = new Screen({});
    for (const command of ['sync', 'check', 'doctor']) {
      const program = createSynctlProgram(screen, screen, async () => undefined);
      const help = program.commands.find((each) => each.name() === command)?.helpInformation();
      expect(help).toContain('--insecure-registry');
      expect(help).not.toContain('registry-logins');
    }
  });

  it.each([
    ['sync', parseSyncSettings],
    ['pack', parsePackSettings],
    ['push', parsePushSettings],
  ])('are read by %s from the input or the environment, and each password is told first', (_, parse) => {
    for (const place of ['values', 'environment'] as const) {
      const secrets: string[] = [];
      const parsed = parse({
        values: new Map([...NEEDED, ...(place === 'values' ? [['registry-logins', LINES] as const] : [])]),
        environment: place === 'environment' ? { KEEL_REGISTRY_LOGINS: LINES } : {},
        label: (name) => name,
        onSecret: (secret) => secrets.push(secret),
      });
      expect(parsed.ok && parsed.settings.logins?.map(({ host }) => host)).toEqual([
        'quay.io',
        'registry.example:5000',
      ]);
      expect(secrets).toEqual(
        expect.arrayContaining(['hush-1', 'robot:hush-1', 'pass word, with "all" of it']),
      );
    }
  });
});
