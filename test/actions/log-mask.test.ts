import { describe, expect, test } from 'vitest';
import { LogMask } from '../../src/actions/log-mask.ts';
import type { Flag } from '../../src/config/flags/flag.ts';
import type { FlagSource } from '../../src/config/flags/flag-source.ts';
import { PACK_FLAGS } from '../../src/pack/flags.ts';
import { parsePackSettings } from '../../src/pack/settings.ts';
import { PUBLISH_FLAGS, PUSH_FLAGS } from '../../src/publish/flags.ts';
import { parsePushSettings } from '../../src/publish/push-settings.ts';
import { parsePublishSettings } from '../../src/publish/settings.ts';
import { passwordHeader } from '../../src/registry/auth/credentials.ts';
import { SYNC_FLAGS } from '../../src/sync/flags.ts';
import { parseSyncSettings } from '../../src/sync/settings.ts';
import { findSecrets } from '../support/secret-search.ts';

/** What is masked of a password and its user, which a reader of flags tells by itself and as a pair. */
function masksOf(username: string, password: string): string[] {
  const masks: string[] = [];
  const mask = new LogMask((text) => masks.push(text));
  for (const secret of [password, `${username}:${password}`]) mask.hidePassword(secret);
  return masks;
}

/** Every table of flags with what reads it. */
const READERS: readonly [string, readonly Flag[], (from: FlagSource) => unknown][] = [
  ['action-sync and synctl', SYNC_FLAGS, parseSyncSettings],
  ['action-pack and packer', PACK_FLAGS, parsePackSettings],
  ['action-pack, of publishing', PUBLISH_FLAGS, parsePublishSettings],
  ['packer push', PUSH_FLAGS, parsePushSettings],
];

describe.each(READERS)('the secrets of %s', (_tool, flags, parse) => {
  function toldOf(from: Pick<FlagSource, 'values' | 'environment'>): string[] {
    const told: string[] = [];
    parse({ ...from, label: (name) => name, onSecret: (secret) => told.push(secret) });
    return told;
  }

  const secret = flags.filter((flag) => flag.secret === true);

  test.each(secret.map((flag) => [flag.name, flag] as const))('include --%s', (name, flag) => {
    expect(toldOf({ values: new Map([[name, 'a secret']]), environment: {} })).toContain('a secret');
    const variables = [flag.environment, flag.otherEnvironment].filter((each) => each !== undefined);
    expect(variables).not.toEqual([]);
    for (const variable of variables) {
      const environment = { [variable]: 'a secret' };
      expect(toldOf({ values: new Map(), environment })).toContain('a secret');
    }
  });

  test('are all that looks like one', () => {
    const named = flags.filter(({ name }) => /password$|logins$|key$|token$|secret/.test(name));
    expect(named.map(({ name }) => name)).toEqual(secret.map(({ name }) => name));
  });
});

test('a password is hidden in each form in which it travels, the user name is not', () => {
  const password = 'p@ss?>~ w/rd';
  const masks = masksOf('robot', password);
  const pair = Buffer.from(`robot:${password}`);
  expect(masks).toEqual(
    expect.arrayContaining([
      password,
      'p%40ss%3F%3E~%20w%2Frd',
      'p%40ss%3F%3E%7E+w%2Frd',
      Buffer.from(password).toString('base64'),
      Buffer.from(password).toString('base64url'),
      pair.toString('base64'),
      pair.toString('base64').replaceAll('=', ''),
      pair.toString('base64url'),
      encodeURIComponent(pair.toString('base64')),
    ]),
  );
  expect(masks).not.toContain('robot');
});

test.each(['a', 'ab', 'abc'].map((tail) => [`secret${tail}`]))(
  'nothing of %s is left once every form is hidden',
  (password) => {
    const masks = masksOf('robot', password).toSorted((one, other) => other.length - one.length);
    const shown = [password, `robot:${password}`].flatMap((text) => {
      const bytes = Buffer.from(text);
      const base64 = bytes.toString('base64');
      return [base64, base64.replaceAll('=', ''), bytes.toString('base64url'), encodeURIComponent(base64)];
    });
    const left = masks.reduce((text, mask) => text.replaceAll(mask, '***'), shown.join(' '));
    expect(findSecrets('what is left', left, { password })).toEqual([]);
  },
);

test('each line of a password is hidden, and nothing empty or as short as a bracket', () => {
  const masks: string[] = [];
  const mask = new LogMask((text) => masks.push(text));
  for (const secret of ['line one\n\n{\nline two', '']) mask.hidePassword(secret);
  expect(masks).toEqual(expect.arrayContaining(['line one\n\n{\nline two', 'line one', 'line two']));
  expect(masks.every((text) => text.trim().length > 3)).toBe(true);
});

test('each secret and each form of it is told to the runner once, however often it is sent', () => {
  const masks: string[] = [];
  const mask = new LogMask((text) => masks.push(text));
  for (let request = 0; request < 100; request += 1) {
    passwordHeader({ kind: 'password', username: 'robot', password: 'p@ss w/rd' }, mask.hide);
    mask.hide(`token-${request % 3}`, 'token');
  }
  expect(new Set(masks).size).toBe(masks.length);
  expect(masks.filter((text) => text.startsWith('token-'))).toEqual(['token-0', 'token-1', 'token-2']);
});

test('a token is hidden as it is, and an empty one is not', () => {
  const masks: string[] = [];
  const mask = new LogMask((text) => masks.push(text));
  for (const token of ['eyJ.a.b', '']) mask.hide(token, 'token');
  expect(masks).toEqual(['eyJ.a.b']);
});
