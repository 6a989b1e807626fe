import { beforeAll, describe, expect, test } from 'vitest';
import { parseDocument } from '../../src/config/document.ts';
import { parseImageSet } from '../../src/config/image-set.ts';
import { digestOf } from '../../src/registry/oci/digest.ts';
import { parseHost, parseRepository, parseTag } from '../../src/registry/oci/reference.ts';
import { SignatureCheck } from '../../src/signatures/signature-check.ts';
import { contentOptions } from '../../src/sync/plan/content-options.ts';
import { SourceVerification } from '../../src/sync/plan/verification.ts';
import { TestClient } from '../support/test-client.ts';

const OLD = digestOf(Buffer.from('old'));
const NEW = digestOf(Buffer.from('new'));
const PAUSE = { host: parseHost('registry.k8s.io'), repository: parseRepository('pause') };
const { signal } = new AbortController();

const set = parseImageSet(
  parseDocument('image_set.json', JSON.stringify({ names: ['pause'], signatures: { 'quay.io/off': 'off' } })),
);
let check: SignatureCheck;
let policy: string;
beforeAll(async () => {
  const settings = { policies: set.signatures, trustedRoot: undefined, file: 'image_set.json' };
  const opened = await SignatureCheck.open('require', settings);
  const stance = opened?.stanceOn(PAUSE);
  if (opened === undefined || stance?.kind !== 'signed') throw new Error('nobody signs pause');
  check = opened;
  policy = stance.policy;
});

/** An image of the state, mirrored when its signature was verified under a policy. */
function recorded(tag: string, signed: string | undefined) {
  return {
    tag: parseTag(tag),
    source: { ...PAUSE, tag: parseTag(tag) },
    sourceDigest: OLD,
    pushedDigest: OLD,
    options: contentOptions([], undefined, signed),
    bytes: 1,
    pushed: new Date(0),
    confirmed: new Date(0),
  };
}

interface Case {
  readonly name?: string;
  readonly tag?: string;
  readonly digest?: typeof OLD | undefined;
  /** `same` is that of now. */
  readonly signed?: 'same' | 'other' | 'none' | 'unrecorded';
  readonly mode?: 'require' | 'warn';
}

describe('the signature of an image that is there is due', () => {
  test.each<[what: string, given: Case, due: boolean]>([
    ['not again, once it was verified under the policy of now', {}, false],
    ['where the image was mirrored without', { signed: 'none' }, true],
    ['where someone else should have signed it', { signed: 'other' }, true],
    ['where the state does not know the image', { signed: 'unrecorded' }, true],
    ['where the source has another image now', { digest: NEW }, true],
    ['where the source does not tell what it has', { digest: undefined }, true],
    ['not where it is only warned of', { signed: 'none', mode: 'warn' }, false],
    ['not where none is wanted', { name: 'quay.io/off', signed: 'none' }, false],
    ['where nobody said who signs it, so that it is refused', { name: 'quay.io/other' }, true],
    ['not of what is itself a signature', { tag: `sha256-${'0'.repeat(64)}.sig`, signed: 'none' }, false],
  ])('%s', (_what, given, due) => {
    const { name = 'registry.k8s.io/pause', tag = 'v1.36.2', signed = 'same', mode = 'require' } = given;
    const digest = 'digest' in given ? given.digest : OLD;
    const [host = '', ...path] = name.split('/');
    using client = new TestClient(parseHost(host));
    const source = {
      registry: client.registry,
      repository: parseRepository(path.join('/')),
      tag: parseTag(tag),
    };
    const under = { same: policy, other: '0123456789ab', none: undefined, unrecorded: undefined }[signed];
    const image = { source, recorded: signed === 'unrecorded' ? undefined : recorded(tag, under) };
    expect(new SourceVerification(mode, check, signal).isDue(image, digest)).toBe(due);
  });
});
