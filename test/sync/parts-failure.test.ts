import { describe, expect, it } from 'vitest';
import { Failure } from '../../src/lib/failure.ts';
import { HttpFailure } from '../../src/lib/http/http-failure.ts';
import type { Descriptor } from '../../src/registry/oci/manifest.ts';
import {
  failureOfBlobs,
  failureOfIndex,
  type PartResult,
  PartsFailure,
} from '../../src/sync/copy/parts-failure.ts';
import { sampleIndex } from '../support/sample-manifest.ts';

const partsIn = (error: unknown) => (error instanceof PartsFailure ? error.parts : []);
const WHOLE = { name: 'registry.k8s.io/pause', destination: 'e.org/keel/pause' };

function part(platform?: string, osVersion?: string): Descriptor {
  const [entry] = sampleIndex([
    { word: platform ?? 'nothing', ...(platform === undefined ? {} : { platform }) },
  ]).manifests;
  if (entry === undefined) throw new Error('an index of nothing');
  return entry.platform === undefined ? entry : { ...entry, platform: { ...entry.platform, osVersion } };
}

const AMD64 = part('linux/amd64');
const ARM64 = part('linux/arm64');
const OLD_WINDOWS = part('windows/amd64', '10.0.17763.1');
const NEW_WINDOWS = part('windows/amd64', '10.0.20348.1');
const refused = (code: string, more: { transient?: boolean; hint?: string } = {}) =>
  new HttpFailure({ code, about: `e.org/keel/pause@${AMD64.digest}`, message: `it is ${code}`, ...more });

describe('a failure below an index', () => {
  it('names its platform, and the patch that leaves it out', () => {
    const failure = failureOfIndex(
      [
        { part: AMD64 },
        { part: ARM64 },
        { part: OLD_WINDOWS, error: refused('REGISTRY_REFUSED', { hint: 'ask' }) },
      ],
      WHOLE,
    );
    expect(failure).toMatchObject({
      code: 'REGISTRY_REFUSED',
      about: 'e.org/keel/pause',
      message: 'windows/amd64 10.0.17763.1: it is REGISTRY_REFUSED',
      hint: 'to mirror the rest of it, add "patches": [{"match": "pause", "platforms": ["linux/amd64", "linux/arm64"]}] to the image set, or use --platform linux/amd64,linux/arm64 for all images',
    });
  });

  it('counts the others, and all are kept for the report', () => {
    const failure = failureOfIndex(
      [
        { part: AMD64 },
        { part: ARM64, error: refused('NOT_FOUND') },
        { part: OLD_WINDOWS, error: refused('REGISTRY_REFUSED') },
        { part: NEW_WINDOWS, error: refused('DENIED') },
      ],
      WHOLE,
    );
    expect(failure).toMatchObject({
      code: 'NOT_FOUND',
      message:
        'linux/arm64: it is NOT_FOUND; 2 other parts failed too: windows/amd64 10.0.17763.1 and windows/amd64 10.0.20348.1',
      hint: expect.stringContaining('"platforms": ["linux/amd64"]'),
    });
    expect(partsIn(failure).map((each) => [each.part, each.failure.code])).toEqual([
      ['linux/arm64', 'NOT_FOUND'],
      ['windows/amd64 10.0.17763.1', 'REGISTRY_REFUSED'],
      ['windows/amd64 10.0.20348.1', 'DENIED'],
    ]);
  });

  it.each<[string, readonly PartResult[]]>([
    [
      'that passes',
      [{ part: AMD64 }, { part: ARM64, error: refused('REGISTRY_BROKEN', { transient: true }) }],
    ],
    ['of the login', [{ part: AMD64 }, { part: ARM64, error: refused('UNAUTHORIZED') }]],
    ['of the line', [{ part: AMD64 }, { part: ARM64, error: refused('UNREACHABLE') }]],
    ['of a server that leads inward', [{ part: AMD64 }, { part: ARM64, error: refused('REDIRECT_REFUSED') }]],
    ['of what has no platform', [{ part: AMD64 }, { part: part(), error: refused('NOT_FOUND') }]],
    ['of one Windows of two', [{ part: OLD_WINDOWS }, { part: NEW_WINDOWS, error: refused('NOT_FOUND') }]],
  ])('%s is not mended by leaving a platform out', (_, results) => {
    const failure = failureOfIndex(results, WHOLE);
    expect(failure).toBeInstanceOf(PartsFailure);
    expect(failure).toMatchObject({ hint: undefined });
  });

  it.each<[string, readonly PartResult[]]>([
    [
      'all parts failed alike',
      [
        { part: AMD64, error: refused('DENIED') },
        { part: ARM64, error: refused('DENIED') },
      ],
    ],
    ['it is a bug', [{ part: AMD64 }, { part: ARM64, error: new TypeError('oh') }]],
    ['the time was over', [{ part: AMD64 }, { part: ARM64, error: refused('PUSH_TIMED_OUT') }]],
  ])('is told as it is where %s', (_, results) => {
    const failure = failureOfIndex(results, WHOLE);
    expect(failure).toBe(results.find(({ error }) => error !== undefined)?.error);
    expect(partsIn(failure)).toEqual([]);
  });

  it('of an index in an index names both', () => {
    const inner = failureOfIndex([{ part: AMD64 }, { part: ARM64, error: refused('NOT_FOUND') }], WHOLE);
    const outer = failureOfIndex([{ part: AMD64 }, { part: OLD_WINDOWS, error: inner }], WHOLE);
    expect(outer).toMatchObject({ message: 'windows/amd64 10.0.17763.1, linux/arm64: it is NOT_FOUND' });
  });
});

describe('layers that failed', () => {
  const source = new Failure({
    code: 'NOT_FOUND',
    about: 'src.org/pause',
    message: 'it is gone',
    hint: 'look',
  });

  it('for several reasons are all told, and what they are about', () => {
    const failure = failureOfBlobs(
      [
        { part: AMD64, error: source },
        { part: ARM64, error: refused('DENIED') },
      ],
      WHOLE,
    );
    expect(failure).toMatchObject({
      code: 'NOT_FOUND',
      about: 'src.org/pause',
      message: expect.stringMatching(
        /^layer sha256:\w{12}…: it is gone; 1 other part failed too: layer sha256:\w{12}…$/,
      ),
      hint: 'look',
    });
    expect(partsIn(failure)).toHaveLength(2);
  });

  it.each<[string, readonly PartResult[]]>([
    ['one of them', [{ part: AMD64 }, { part: ARM64, error: source }]],
    [
      'all of them alike',
      [
        { part: AMD64, error: source },
        { part: ARM64, error: source },
      ],
    ],
    [
      'a bug',
      [
        { part: AMD64, error: new TypeError('oh') },
        { part: ARM64, error: source },
      ],
    ],
  ])('are told as they are: %s', (_, results) => {
    expect(failureOfBlobs(results, WHOLE)).toBe(results.find(({ error }) => error !== undefined)?.error);
  });
});
