import { milliseconds } from '../../src/lib/duration.ts';
import { parseHost, parseRepository, parseTag } from '../../src/registry/oci/reference.ts';
import { describeReason } from '../../src/sync/plan/decision.ts';
import type { PlannedImage } from '../../src/sync/plan/planning.ts';
import type { RecordedImage } from '../../src/sync/state/image-rows.ts';
import { digestFor } from './sample-manifest.ts';
import { TestClient } from './test-client.ts';

// It is asked for nothing.
const { registry } = new TestClient(parseHost('registry.k8s.io'));
const TIME = new Date('2026-03-01T02:00:00Z');

/** Returns `pause:3.10` as a run plans it, missing at the destination unless the test says otherwise. */
export function plannedImage(more: Partial<PlannedImage> = {}): PlannedImage {
  const tag = parseTag('3.10');
  return {
    name: 'pause',
    source: { registry, repository: parseRepository('pause'), tag },
    target: { repository: parseRepository('keel/pause'), tag },
    sourceDigest: digestFor('pause'),
    uploaded: undefined,
    minimumAge: milliseconds(0),
    ifMoved: { mode: 'warn', isFixed: true },
    platforms: [],
    recorded: undefined,
    decision: { action: 'copy', reason: describeReason('MISSING') },
    extent: 'tag',
    rank: 0,
    referrers: 'skip',
    signatureTags: [],
    ...more,
  };
}

/** Returns what a state tells of it, as it is at the source unless the test says otherwise. */
export function recordedImage(more: Partial<RecordedImage> = {}): RecordedImage {
  const { source, target } = plannedImage();
  return {
    tag: target.tag,
    source: { host: registry.host, repository: source.repository, tag: source.tag },
    sourceDigest: digestFor('pause'),
    pushedDigest: digestFor('pause'),
    options: '',
    bytes: 1000,
    pushed: TIME,
    confirmed: TIME,
    ...more,
  };
}
