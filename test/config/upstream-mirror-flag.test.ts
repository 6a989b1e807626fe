import { describe, expect, it } from 'vitest';
import { FlagReader } from '../../src/config/flags/flag-reader.ts';
import { readUpstreamMirror, upstreamMirrorFlag } from '../../src/config/flags/upstream-mirror-flag.ts';
import { describeFailure } from '../../src/lib/failure.ts';

const RUNC = new URL('https://github.com/opencontainers/runc/releases/download/v1.5.2/runc.amd64');

function read(text: string | undefined, environment: Readonly<Record<string, string>> = {}) {
  const values = new Map(text === undefined ? [] : [['upstream-mirror', text]]);
  const from = { values, environment, label: (name: string) => `--${name}` };
  const flags = new FlagReader([upstreamMirrorFlag('a group')], from);
  const mirror = readUpstreamMirror(flags);
  return { leadsTo: mirror.map(RUNC).href, failures: flags.failures.map(describeFailure) };
}

describe('--upstream-mirror', () => {
  it('leads nowhere else where it is not given', () => {
    expect(read(undefined)).toEqual({ leadsTo: RUNC.href, failures: [] });
  });

  it('takes several, separated by commas or line ends, and the same one twice', () => {
    const text = 'https://all.test, github.com=https://one.test\nhttps://all.test';
    expect(read(text)).toEqual({ leadsTo: `https://one.test${RUNC.pathname}`, failures: [] });
  });

  it('is read from KEEL_UPSTREAM_MIRROR', () => {
    const environment = { KEEL_UPSTREAM_MIRROR: 'https://all.test' };
    expect(read(undefined, environment).leadsTo).toBe(`https://all.test/github.com${RUNC.pathname}`);
  });

  it('is refused with two addresses for the same hosts', () => {
    expect(read('https://a.test,https://b.test').failures).toEqual([
      '--upstream-mirror: it has two addresses for all upstream hosts (remove one of them)',
    ]);
    expect(read('github.com=https://a.test,github.com=https://b.test').failures).toEqual([
      '--upstream-mirror: it has two addresses for github.com (remove one of them)',
    ]);
  });

  it('is refused with a password, without showing it', () => {
    const { failures } = read('https://me:hush@mirror.test');
    expect(failures).toEqual([
      '--upstream-mirror: the address of a mirror contains a user name or a password (remove it: keel-pkg never logs in to an upstream mirror)',
    ]);
  });
});
