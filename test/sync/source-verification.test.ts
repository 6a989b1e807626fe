import { describe, expect, it } from 'vitest';
import { parseDocument } from '../../src/config/document.ts';
import { parseImageSet } from '../../src/config/image-set.ts';
import { parseHost, parseRepository, parseTag } from '../../src/registry/oci/reference.ts';
import { SignatureCheck } from '../../src/signatures/signature-check.ts';
import type { SignatureVerdict } from '../../src/signatures/verdict.ts';
import { openVerification, type SourceVerification } from '../../src/sync/plan/source-verification.ts';
import type { SyncSettings } from '../../src/sync/settings.ts';
import { plannedImage, recordedImage } from '../support/planned-image.ts';
import { startRegistry } from '../support/registry/registry.ts';
import { digestFor } from '../support/sample-manifest.ts';
import { SyncRoute } from '../support/sync-run.ts';
import { TestClient } from '../support/test-client.ts';

const calm = new AbortController().signal;

const never = new AbortController().signal;
const SIGNATURE = parseTag(`sha256-${'a'.repeat(64)}.sig`);
const SET = parseImageSet(
  parseDocument('image_set.json', '{"names": ["pause"], "signatures": {"quay.io": "off"}}'),
);
const { registries } = new TestClient(parseHost('quay.io'));

/** An image of a registry, by the host that policies go by. */
function imageOf(host: string, tag = '3.10') {
  return {
    registry: registries.at(parseHost(host)),
    repository: parseRepository('pause'),
    tag: parseTag(tag),
  };
}

async function open(verifySignatures: SyncSettings['verifySignatures']) {
  const host = { host: 'registry.k8s.io' };
  const route = new SyncRoute({ source: host, destination: host, set: {} });
  const verification = await openVerification(route.settings({ verifySignatures }), SET, never);
  if (verification === undefined) throw new Error('nothing asks for signatures');
  return verification;
}

it('nothing asks for signatures where they are off', async () => {
  await expect(open('off')).rejects.toThrow('nothing asks');
});

describe('the signature of an image that is there already', () => {
  const settings = { policies: SET.signatures, trustedRoot: undefined, file: 'image_set.json' };
  const pause = {
    name: { host: parseHost('registry.k8s.io'), repository: parseRepository('pause') },
    tag: parseTag('3.10'),
  };

  it.each<[boolean, string, SyncSettings['verifySignatures'], string, string, string | undefined]>([
    [true, 'nothing is known of it', 'require', 'registry.k8s.io', '3.10', undefined],
    [true, 'it was never verified', 'require', 'registry.k8s.io', '3.10', ''],
    [
      true,
      'it was verified under another policy',
      'require',
      'registry.k8s.io',
      '3.10',
      'signed=0123456789ab',
    ],
    [false, 'it was verified under this policy', 'require', 'registry.k8s.io', '3.10', 'signed=POLICY'],
    [false, 'its registry is off', 'require', 'quay.io', '3.10', undefined],
    [true, 'there is no policy for its registry', 'require', 'ghcr.io', '3.10', undefined],
    [false, 'it is itself a signature', 'require', 'registry.k8s.io', SIGNATURE, undefined],
    [false, 'none is required', 'warn', 'registry.k8s.io', '3.10', undefined],
  ])('is due: %s, %s', async (isDue, _, mode, host, tag, options) => {
    const stance = (await SignatureCheck.open('require', settings, calm))?.stanceOn(pause);
    const policy = stance?.kind === 'signed' ? stance.policy : '';
    const recorded =
      options === undefined ? undefined : recordedImage({ options: options.replace('POLICY', policy) });
    const verification = await open(mode);
    const image = { source: imageOf(host, tag), recorded };
    expect(verification.isDue(image, digestFor('pause'))).toBe(isDue);
  });

  it('is due where the source has another image now, or nobody knows which', async () => {
    const stance = (await SignatureCheck.open('require', settings, calm))?.stanceOn(pause);
    const options = `signed=${stance?.kind === 'signed' ? stance.policy : ''}`;
    const image = { source: imageOf('registry.k8s.io'), recorded: recordedImage({ options }) };
    const verification = await open('require');
    expect(
      [digestFor('pause'), digestFor('newer'), undefined].map((digest) => verification.isDue(image, digest)),
    ).toEqual([false, true, true]);
  });
});

/** Returns the verdict about an image, or throws why it may not be copied. */
async function verify(
  mode: SyncSettings['verifySignatures'],
  image: Parameters<SourceVerification['judge']>[0],
): Promise<SignatureVerdict | undefined> {
  const verification = await open(mode);
  return verification.accept(await verification.judge(image, digestFor('pause')));
}

describe('an image', () => {
  it('that is a signature is not asked for one', async () => {
    const image = { source: imageOf('registry.k8s.io', SIGNATURE), recorded: undefined };
    expect(await verify('require', image)).toBeUndefined();
  });

  it('of a registry that is off is exempt', async () => {
    const image = { source: imageOf('quay.io'), recorded: undefined };
    expect(await verify('require', image)).toEqual({ kind: 'exempt' });
  });

  it('without a signature is told as such, and refused where one is required', async () => {
    await using source = await startRegistry();
    using client = new TestClient(source.host);
    const image = plannedImage({ source: { ...imageOf('quay.io'), registry: client.registry } });
    const failure = expect.objectContaining({ code: 'SIGNATURE_POLICY_MISSING' });
    expect(await verify('warn', image)).toEqual({
      kind: 'unverified',
      failure,
    });
    await expect(verify('require', image)).rejects.toEqual(failure);
  });
});
