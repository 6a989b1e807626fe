import { describe, expect, test } from 'vitest';
import { Failure } from '../../src/lib/failure.ts';
import { HttpFailure } from '../../src/lib/http/http-failure.ts';
import { parseHost, parseRepository, parseTag } from '../../src/registry/oci/reference.ts';
import type { MirroredImage } from '../../src/sync/copy/mirrored-image.ts';
import { PartsFailure } from '../../src/sync/copy/parts-failure.ts';
import { describeReason } from '../../src/sync/plan/decision.ts';
import { collided, failed, left, skipped, worked } from '../../src/sync/run/reported-image.ts';
import { plannedImage, recordedImage } from '../support/planned-image.ts';
import { digestFor } from '../support/sample-manifest.ts';
import { TestClient } from '../support/test-client.ts';

const NAMES = { source: 'registry.k8s.io/pause:3.10', destination: 'harbor.example/keel/pause:3.10' };
const copied: MirroredImage & { outcome: 'copied' } = {
  outcome: 'copied',
  sourceDigest: digestFor('pause'),
  pushedDigest: digestFor('pause'),
  conversion: undefined,
  layersLeftOut: 0,
  digests: [],
  size: 2000,
  bytesSent: 500,
  blobs: { uploaded: 1, mounted: 2, present: 3 },
  replaced: undefined,
  missing: [],
};

describe('an image that nothing was asked about', () => {
  test('is reported with what is known of it', () => {
    const decision = { action: 'skip', reason: describeReason('UNCHANGED') } as const;
    const recorded = recordedImage({ options: 'conversion=docker-format' });
    expect(skipped(NAMES, plannedImage({ decision, recorded }))).toEqual({
      ...NAMES,
      outcome: 'skipped',
      reason: decision.reason,
      digest: recorded.pushedDigest,
      conversion: 'docker-format',
      bytes: 0,
      milliseconds: 0,
    });
  });
});

describe('an image that was asked for', () => {
  test('is checked where nothing had to be sent', () => {
    const decision = { action: 'check', reason: describeReason('MOVING_TAG') } as const;
    const { sourceDigest, pushedDigest, conversion, layersLeftOut, digests } = copied;
    const found = { sourceDigest, pushedDigest, conversion, layersLeftOut, digests };
    const result = { ...found, outcome: 'unchanged' } as const;
    const reported = worked(NAMES, plannedImage({ decision }), result, 12.7);
    expect(reported).toMatchObject({
      outcome: 'checked',
      reason: decision.reason,
      bytes: 0,
      milliseconds: 13,
    });
    expect(reported.blobs).toBeUndefined();
  });

  test('is copied with what it took, and what is known of its signature', () => {
    const signature = { kind: 'exempt' } as const;
    expect(worked(NAMES, plannedImage(), { ...copied, signature }, 1000)).toMatchObject({
      outcome: 'copied',
      reason: describeReason('MISSING'),
      bytes: 500,
      blobs: copied.blobs,
      signature: { status: 'exempt' },
    });
  });

  const other = digestFor('other');
  test.each<[string, string, Partial<typeof copied>, Parameters<typeof recordedImage>[0] | undefined]>([
    ['MOVING_TAG', 'why it was planned, where nobody asked before', { replaced: undefined }, undefined],
    ['MISSING', 'it is missing', { replaced: 'nothing' }, undefined],
    ['DIFFERS', 'something else is there', { replaced: other }, undefined],
    ['DIFFERS', 'something else is there than what was pushed', { replaced: other }, {}],
    ['CHANGED', 'the source changed', { replaced: digestFor('pause'), sourceDigest: other }, {}],
    ['OTHER_SETTINGS', 'settings changed', { replaced: digestFor('pause') }, { options: 'platforms=a/b' }],
    ['DIFFERS', 'what was pushed is not right any more', { replaced: digestFor('pause') }, {}],
  ])('and is copied has the reason %s: %s', (code, _, more, recorded) => {
    const image = plannedImage({
      decision: { action: 'check', reason: describeReason('MOVING_TAG') },
      recorded: recorded === undefined ? undefined : recordedImage(recorded),
    });
    expect(worked(NAMES, image, { ...copied, ...more }, 0).reason?.code).toBe(code);
  });
});

describe('an image that did not arrive', () => {
  const limited = { code: 'RATE_LIMITED', about: 'harbor.example', message: 'too many requests' } as const;
  const denied = { code: 'DENIED', message: 'no' } as const;

  test.each<[string, string, unknown]>([
    ['failed', 'is not allowed', new HttpFailure({ ...denied, about: NAMES.destination })],
    ['failed', 'was limited for a moment', new HttpFailure({ ...limited, transient: true })],
    ['deferred', 'is limited for long', new HttpFailure(limited)],
    ['withdrawn', 'took too long', new Failure({ code: 'PUSH_TIMED_OUT', about: 'a', message: 'm' })],
    ['failed', 'met a fault of ours', new TypeError('undefined is not a function')],
  ])('%s: it %s', (outcome, _, error) => {
    expect(failed(NAMES, error, 1.2)).toMatchObject({ ...NAMES, outcome, bytes: 0, milliseconds: 1 });
  });

  test('has all failures of its parts', () => {
    const parts = ['linux/arm64', 'windows/amd64 10.0.17763.1'].map((part) => ({
      part,
      failure: new HttpFailure({ ...denied, about: 'harbor.example/keel/pause' }),
    }));
    const [first, ...others] = parts;
    if (first === undefined) throw new Error('there are two');
    const error = new PartsFailure(first, others, 'harbor.example/keel/pause', 'leave them out');
    expect(failed(NAMES, error, 0)).toMatchObject({
      reason: {
        code: 'DENIED',
        message: 'harbor.example: linux/arm64: no; 1 other part failed too: windows/amd64 10.0.17763.1',
        hint: 'leave them out',
      },
      failures: [
        { part: 'linux/arm64', code: 'DENIED', message: 'no' },
        { part: 'windows/amd64 10.0.17763.1', code: 'DENIED', message: 'no' },
      ],
    });
  });

  test.each([
    ['no', NAMES.source],
    ['no', 'registry.k8s.io'],
    ['harbor.example: no', NAMES.destination],
    ['harbor.example: no', 'harbor.example/keel/pause'],
    ['harbor.example/keel/base: no', 'harbor.example/keel/base'],
    ['auth.example: no', 'auth.example'],
  ])('is told as %j where the failure is about %s', (message, about) => {
    expect(failed(NAMES, new HttpFailure({ ...denied, about }), 0).reason?.message).toBe(message);
  });

  test.each([
    ['check its name and tag', NAMES.source, undefined],
    ['log in', NAMES.source, 'log in'],
    [undefined, NAMES.destination, undefined],
  ])('has the hint %j where %s is not found, and the registry says %j', (hint, about, given) => {
    const error = new HttpFailure({ code: 'NOT_FOUND', about, message: 'm', hint: given });
    expect(failed(NAMES, error, 0).reason?.hint).toBe(hint);
  });

  test('has its turn in the next run where this one ended first', () => {
    expect(left(NAMES)).toMatchObject({ outcome: 'deferred', reason: { code: 'INTERRUPTED' } });
  });
});

test('a tag that several sources want is reported with all of them and a patch', () => {
  const { registry } = new TestClient(parseHost('harbor.example'));
  const claim = (path: string) => ({
    name: path,
    registry: { host: parseHost('registry.k8s.io') },
    repository: parseRepository(path),
    tags: new Map(),
  });
  const claimants = [claim('pause'), claim('a/pause')];
  const patches = [{ match: 'a/pause', name: parseRepository('a-pause') }];
  const collision = { tag: parseTag('3.10'), claimants, undecided: [], patches };
  const patch = '{"match": "a/pause", "name": "a-pause"}';
  expect(
    collided(registry, { repository: parseRepository('keel/pause'), isGiven: false }, collision),
  ).toMatchObject({
    ...NAMES,
    outcome: 'collision',
    claimants: ['registry.k8s.io/pause:3.10', 'registry.k8s.io/a/pause:3.10'],
    patch,
    reason: {
      code: 'NAMES_COLLIDE',
      message: expect.stringContaining('are different images with the same name at the destination'),
      hint: `give one of them another name: "patches": [${patch}]`,
    },
  });
});
