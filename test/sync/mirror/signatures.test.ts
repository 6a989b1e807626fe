import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { checkJson, checkLines } from '../../../src/cli/text/check-text.ts';
import type { Manifest } from '../../../src/registry/oci/manifest.ts';
import { parseReference } from '../../../src/registry/oci/reference.ts';
import { areSignaturesFine } from '../../../src/sync/check/check-signatures.ts';
import { checkImage } from '../../../src/sync/check/image-check.ts';
import { isMirrored } from '../../../src/sync/check/mirror-verdict.ts';
import { isSignatureTag } from '../../../src/sync/select/signature-tag.ts';
import { PUBLIC_TOKENS, TOKENS } from '../../support/registry/access.ts';
import { startRegistry, type TestRegistry } from '../../support/registry/registry.ts';
import { seedImage, seedIndex, seedMade } from '../../support/registry/seed.ts';
import {
  bundleManifest,
  cosignLayer,
  cosignManifest,
  cosignPayload,
  referrersIndex,
  signatureTag,
  statementBundle,
} from '../../support/sigstore/signature.ts';
import { TestSigstore } from '../../support/sigstore/sigstore.ts';
import { outcomes, type RunChoices, SyncRoute } from '../../support/sync-run.ts';

const ME = { identity: 'release@example.com', issuer: 'https://accounts.example.com' };
const OTHER = { ...ME, identity: 'other@example.com' };
const NIGHT = new Date('2026-03-02T02:00:00Z');

let sigstore: TestSigstore;
beforeAll(async () => {
  sigstore = await TestSigstore.start();
});

/** A source with images that are signed or not, an empty destination, and the runs from one to the other. */
class Place implements AsyncDisposable {
  readonly source: TestRegistry;
  readonly destination: TestRegistry;
  readonly route: SyncRoute;
  readonly #trustedRoot: string;

  constructor(source: TestRegistry, destination: TestRegistry) {
    this.source = source;
    this.destination = destination;
    this.route = new SyncRoute({ source, destination, set: this.set() });
    this.#trustedRoot = sigstore.writeTrustedRoot(this.route.folder);
  }

  static async open(): Promise<Place> {
    const listing = { listing: { style: 'google' } } as const;
    const place = new Place(
      await startRegistry({ ...listing, access: PUBLIC_TOKENS }),
      await startRegistry({ access: TOKENS }),
    );
    const { storage } = place.source;
    await place.sign('signed', seedIndex(storage, 'signed', { tags: ['1.0.0'] }), ME);
    await place.sign('foreign', seedImage(storage, 'foreign', { tags: ['1.0.0'] }), OTHER);
    seedImage(storage, 'unsigned', { tags: ['1.0.0', '1.1.0'] });
    return place;
  }

  set(signatures: object = { [this.source.host]: ME }): object {
    return { names: ['signed', 'foreign', 'unsigned'], signatures };
  }

  async sign(repository: string, { digest }: Pick<Manifest, 'digest'>, signing: typeof ME): Promise<void> {
    const payload = cosignPayload(digest, `${this.source.host}/${repository}`);
    const layer = await cosignLayer(sigstore, payload, signing);
    seedMade(this.source.storage, repository, signatureTag(digest), cosignManifest([layer]));
  }

  /** Puts a bundle beside an image, whose statement names it as these repositories of the source. */
  async bundle(repository: string, image: Manifest, names: readonly string[]): Promise<void> {
    const statement = { names: names.map((name) => `${this.source.host}/${name}`) };
    const bundle = bundleManifest(await statementBundle(sigstore, image.digest, ME, statement), image);
    const { tag, image: index } = referrersIndex(image.digest, [bundle]);
    seedMade(this.source.storage, repository, tag, index);
  }

  async run(choices: RunChoices = {}) {
    this.source.journal.clear();
    this.destination.journal.clear();
    const result = await this.route.run({
      now: NIGHT,
      verify: 'none',
      trustedRoot: this.#trustedRoot,
      ...choices,
    });
    return { ...result, outcomes: outcomes(result.report) };
  }

  check(image: string, verifySignatures: 'warn' | 'require' = 'require') {
    return checkImage(
      parseReference(`${this.source.host}/${image}`),
      this.route.settings({ verifySignatures, trustedRoot: this.#trustedRoot }),
      this.route.parts(),
    );
  }

  /** What the destination holds under the namespace: of each repository its tags. */
  get arrived(): Record<string, string[]> {
    const held = [...this.destination.storage.repositories].map(([name, { tags, blobs, manifests }]) => {
      const isEmpty = tags.size + blobs.size + manifests.size === 0;
      return isEmpty ? [] : [[name.replace('keel/', ''), [...tags.keys()].toSorted()] as const];
    });
    return Object.fromEntries(held.flat());
  }

  /** How often something about a signature was asked for at the source. */
  get questions(): number {
    return this.source.journal.entries.filter(
      ({ kind, reference }) => kind === 'referrers' || isSignatureTag(reference),
    ).length;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all([this.source.close(), this.destination.close()]);
  }
}

describe('with --verify-signatures require', () => {
  test('only what has a signature that counts arrives, and nothing at all of the rest', async () => {
    await using place = await Place.open();
    const { report, outcomes: became, lines } = await place.run({ verifySignatures: 'require' });
    expect(became).toEqual({
      'foreign:1.0.0': 'failed',
      'signed:1.0.0': 'copied',
      'unsigned:1.0.0': 'failed',
      'unsigned:1.1.0': 'failed',
    });
    expect(place.arrived).toEqual({ signed: ['1.0.0'] });
    const reasons = report.images.map(({ source, reason, signature }) => [
      source.slice(source.indexOf('/') + 1),
      reason?.code,
      signature?.status,
    ]);
    expect(reasons.toSorted()).toEqual([
      ['foreign:1.0.0', 'SIGNATURE_REFUSED', undefined],
      ['signed:1.0.0', 'REPOSITORY_NEW', 'verified'],
      ['unsigned:1.0.0', 'SIGNATURE_MISSING', undefined],
      ['unsigned:1.1.0', 'SIGNATURE_MISSING', undefined],
    ]);
    const foreign = report.images.find(({ source }) => source.includes('/foreign:'));
    expect(foreign?.reason?.message).toBe(
      'its signature is not accepted: it is by other@example.com (https://accounts.example.com); the policy requires one by release@example.com (https://accounts.example.com)',
    );
    expect(lines).toContain('signatures: 1 verified, 3 missing or invalid');
    expect([report.options.verifySignatures, report.totals.failed]).toEqual(['require', 3]);
  });

  test('a registry of which nothing is said is refused, with the line to add', async () => {
    await using place = await Place.open();
    place.route.wants(place.set({ 'quay.io': 'off' }));
    const { report } = await place.run({ verifySignatures: 'require' });
    const [first] = report.images;
    expect(first?.reason).toEqual({
      code: 'SIGNATURE_POLICY_MISSING',
      message: `no policy names the signer of the images of ${place.source.host}`,
      hint: `add to ${join(place.route.folder, 'image_set.json')} "signatures": {"${place.source.host}/…": {"identity": "…", "issuer": "…"}}, or "${place.source.host}": "off"`,
    });
    expect([place.arrived, place.questions]).toEqual([{}, 0]);
  });

  test('a registry whose policy is off is copied without a question', async () => {
    await using place = await Place.open();
    place.route.wants(place.set({ [place.source.host]: 'off', [`${place.source.host}/signed`]: ME }));
    const { report, outcomes: became } = await place.run({ verifySignatures: 'require' });
    expect(Object.values(became)).toEqual(['copied', 'copied', 'copied', 'copied']);
    const statuses = report.images.map(({ signature }) => signature?.status);
    expect(statuses.toSorted()).toEqual(['exempt', 'exempt', 'exempt', 'verified']);
  });

  test('the signed kube-proxy is not copied as pause, neither is the signed 1.36 as 1.37', async () => {
    await using place = await Place.open();
    const { storage } = place.source;
    const proxy = seedImage(storage, 'kube-proxy', { tags: ['v1.36.0', 'v1.37.0'] });
    await place.bundle('kube-proxy', proxy, ['kube-proxy:v1.36.0']);
    // A source that gives one for the other, with all that it has of it.
    await place.bundle('pause', seedImage(storage, 'pause', { seed: 'kube-proxy', tags: ['3.10'] }), [
      'kube-proxy:v1.36.0',
      'kube-proxy:v1.37.0',
    ]);
    place.route.wants({ ...place.set(), names: ['kube-proxy', 'pause'] });
    const { report, outcomes: became } = await place.run({ verifySignatures: 'require' });
    expect(became).toEqual({
      'kube-proxy:v1.36.0': 'copied',
      'kube-proxy:v1.37.0': 'failed',
      'pause:3.10': 'failed',
    });
    expect(place.arrived).toEqual({ 'kube-proxy': ['v1.36.0'] });
    const reasons = report.images.flatMap(({ reason }) =>
      reason?.code === 'SIGNATURE_REFUSED' ? reason.message.split(/: |; /)[1] : [],
    );
    expect(reasons.toSorted()).toEqual([
      `it was signed as ${place.source.host}/kube-proxy:v1.36.0, not as ${place.source.host}/pause`,
      'it was signed for v1.36.0, not for v1.37.0',
    ]);
    const checked = await place.check('pause:3.10');
    expect([areSignaturesFine(checked), checkLines(checked).join('\n')]).toEqual([
      false,
      expect.stringContaining('signature    its signature is not accepted: it was signed as '),
    ]);
  });

  test('a bundle that names nothing counts where that is said of its signer, and only as long as it is', async () => {
    await using place = await Place.open();
    await place.bundle('bundled', seedImage(place.source.storage, 'bundled', { tags: ['1.0.0'] }), []);
    const names = ['bundled'];
    const wants = (signer: object) =>
      place.route.wants({ ...place.set({ [place.source.host]: signer }), names });
    wants(ME);
    const refused = await place.run({ verifySignatures: 'require' });
    expect(refused.report.images[0]?.reason).toMatchObject({
      code: 'SIGNATURE_REFUSED',
      message: expect.stringContaining(
        'its signature is not accepted: it names no image, and is accepted only with "acceptUnnamed"; ',
      ),
      hint: expect.stringContaining('write "acceptUnnamed": true next to their identity under "signatures"'),
    });
    expect(place.arrived).toEqual({});
    wants({ ...ME, acceptUnnamed: true });
    expect((await place.run({ verifySignatures: 'require' })).outcomes).toEqual({
      'bundled:1.0.0': 'copied',
    });
    expect((await place.run({ verifySignatures: 'require' })).outcomes).toEqual({
      'bundled:1.0.0': 'skipped',
    });
    wants(ME);
    expect((await place.run({ verifySignatures: 'require' })).outcomes).toEqual({
      'bundled:1.0.0': 'failed',
    });
  });

  test('an index is signed for the platforms that are chosen of it', async () => {
    await using place = await Place.open();
    const { outcomes: became } = await place.run({
      verifySignatures: 'require',
      platforms: [{ os: 'linux', architecture: 'arm64' }],
    });
    expect(became['signed:1.0.0']).toBe('copied');
  });

  test('what was mirrored without it is verified once, and told where it has none', async () => {
    await using place = await Place.open();
    await place.run();
    expect(place.questions).toBe(0);
    const { report, outcomes: became } = await place.run({ verifySignatures: 'require' });
    expect(became).toEqual({
      'foreign:1.0.0': 'failed',
      'signed:1.0.0': 'checked',
      'unsigned:1.0.0': 'failed',
      'unsigned:1.1.0': 'failed',
    });
    const signed = report.images.find(({ source }) => source.includes('/signed:'));
    expect(signed).toMatchObject({
      reason: { code: 'SIGNATURE_DUE' },
      signature: { status: 'verified', ...ME },
    });
    // Nothing is taken away.
    expect(place.arrived).toEqual({
      foreign: ['1.0.0'],
      signed: ['1.0.0'],
      unsigned: ['1.0.0', '1.1.0'],
    });
    const third = await place.run({ verifySignatures: 'require' });
    expect(third.outcomes['signed:1.0.0']).toBe('skipped');
    expect(third.outcomes['foreign:1.0.0']).toBe('failed');
  });

  test('what was verified is verified again when someone else should have signed it', async () => {
    await using place = await Place.open();
    await place.run({ verifySignatures: 'require' });
    place.route.wants(place.set({ [place.source.host]: OTHER }));
    const { outcomes: became } = await place.run({ verifySignatures: 'require' });
    expect([became['signed:1.0.0'], became['foreign:1.0.0']]).toEqual(['failed', 'copied']);
  });

  test('nights without it forget nothing', async () => {
    await using place = await Place.open();
    place.route.wants({ ...place.set(), names: ['signed'] });
    await place.run({ verifySignatures: 'require' });
    await place.run({ verify: 'all' });
    const { outcomes: became } = await place.run({ verifySignatures: 'require' });
    expect([became, place.questions]).toEqual([{ 'signed:1.0.0': 'skipped' }, 0]);
  });

  test('a signature that cannot be had just now keeps its image back, and the next run brings it', async () => {
    await using place = await Place.open();
    place.route.wants({ ...place.set(), names: ['signed'] });
    const outage = place.source.fail({
      match: { kind: 'blob-get' },
      times: Number.POSITIVE_INFINITY,
      fault: { kind: 'status', status: 503 },
    });
    const { report } = await place.run({ verifySignatures: 'require' });
    expect(report.images.map(({ outcome, reason }) => [outcome, reason?.code])).toEqual([
      ['failed', 'REGISTRY_BROKEN'],
    ]);
    expect(place.arrived).toEqual({});
    outage.stop();
    expect((await place.run({ verifySignatures: 'require' })).outcomes).toEqual({ 'signed:1.0.0': 'copied' });
  });

  test('a dry run tells what a real one would leave out', async () => {
    await using place = await Place.open();
    const { outcomes: became } = await place.run({ verifySignatures: 'require', dryRun: true });
    expect(became).toMatchObject({ 'foreign:1.0.0': 'failed', 'signed:1.0.0': 'copied' });
    expect(place.arrived).toEqual({});
  });

  test('the tag may move after its digest was verified: what arrives is what was verified', async () => {
    await using source = await startRegistry();
    await using destination = await startRegistry();
    const place = new Place(source, destination);
    place.route.wants({ ...place.set(), names: ['signed'] });
    const good = seedImage(source.storage, 'signed', { tags: ['1.0.0'] });
    await place.sign('signed', good, ME);
    const evil = seedImage(source.storage, 'signed', { seed: 'evil' });
    // The first blob that is asked for is the payload of the signature.
    const moved = source.journal.next({ kind: 'blob-get' }).then(() => {
      source.storage.repository('signed').tags.set('1.0.0', evil.digest);
    });
    source.fail({ match: { kind: 'blob-get' }, fault: { kind: 'hold', until: moved } });
    const run = place.run({ verifySignatures: 'require' });
    await moved;
    expect((await run).outcomes).toEqual({ 'signed:1.0.0': 'copied' });
    expect(destination.storage.manifest('keel/signed', '1.0.0')?.digest).toBe(good.digest);
  });

  test('signatures are mirrored with what they sign, and not with what was left out', async () => {
    await using place = await Place.open();
    const { outcomes: became } = await place.run({ verifySignatures: 'require', signatures: 'copy' });
    const copied = Object.keys(became).filter((name) => became[name] === 'copied');
    expect(copied.map((name) => name.replace(/sha256-[0-9a-f]{64}/, 'SHA'))).toEqual([
      'signed:1.0.0',
      'signed:SHA.sig',
    ]);
  });
});

describe('with --verify-signatures warn', () => {
  test('all is copied, and one warning a reason tells which images have no signature that counts', async () => {
    await using place = await Place.open();
    const { report, lines, outcomes: became } = await place.run({ verifySignatures: 'warn' });
    expect(Object.values(became)).toEqual(['copied', 'copied', 'copied', 'copied']);
    const wanted = 'the policy requires one by release@example.com (https://accounts.example.com)';
    const { host } = place.source;
    expect(lines.filter((line) => line.startsWith('warning: ') || line.startsWith('signatures: '))).toEqual([
      'signatures: 1 verified, 3 missing or invalid',
      `warning: 2 images copied without a valid signature: it has no signature; ${wanted}: ${host}/unsigned:1.1.0 and ${host}/unsigned:1.0.0`,
      `warning: 1 image copied without a valid signature: its signature is not accepted: it is by other@example.com (https://accounts.example.com); ${wanted}: ${host}/foreign:1.0.0`,
    ]);
    expect(report.warnings).toHaveLength(2);
    const foreign = report.images.find(({ source }) => source.includes('/foreign:'));
    expect(foreign?.signature).toMatchObject({ status: 'unverified', reason: { code: 'SIGNATURE_REFUSED' } });
  });

  test('the next night asks for nothing', async () => {
    await using place = await Place.open();
    await place.run({ verifySignatures: 'warn' });
    const { outcomes: became } = await place.run({ verifySignatures: 'warn' });
    expect([new Set(Object.values(became)), place.questions]).toEqual([new Set(['skipped']), 0]);
  });

  test('signatures that cannot be had just now keep no image back', async () => {
    await using place = await Place.open();
    place.source.fail({
      match: { kind: 'referrers' },
      times: Number.POSITIVE_INFINITY,
      fault: { kind: 'status', status: 503 },
    });
    const { report, outcomes: became } = await place.run({ verifySignatures: 'warn' });
    expect(Object.values(became)).toEqual(['copied', 'copied', 'copied', 'copied']);
    const unsigned = report.images.find(({ source }) => source.includes('/unsigned:'));
    expect(unsigned?.signature?.reason?.code).toBe('REGISTRY_BROKEN');
  });

  test('a bundle that refers to an image is found as well', async () => {
    await using place = await Place.open();
    const image = seedImage(place.source.storage, 'bundled', { tags: ['1.0.0'] });
    await place.bundle('bundled', image, ['bundled']);
    place.route.wants({ ...place.set(), names: ['bundled'] });
    const { report } = await place.run({ verifySignatures: 'warn' });
    expect(report.images[0]?.signature).toEqual({ status: 'verified', form: 'bundle', ...ME });
  });
});

test('synctl check tells whose signature an image has, and is not content where one is required', async () => {
  await using place = await Place.open();
  await place.run();
  const signed = await place.check('signed:1.0.0', 'require');
  expect(checkLines(signed)).toContain(
    'signature    verified, signed by release@example.com (https://accounts.example.com)',
  );
  expect([isMirrored(signed.tags), areSignaturesFine(signed)]).toEqual([true, true]);
  const foreign = await place.check('foreign:1.0.0', 'require');
  expect(checkLines(foreign).join('\n')).toContain(
    'signature    its signature is not accepted: it is by other@',
  );
  expect([isMirrored(foreign.tags), areSignaturesFine(foreign)]).toEqual([true, false]);
  const unsigned = await place.check('unsigned', 'warn');
  expect(checkLines(unsigned).join('\n')).toContain('1.1.0 and 1.0.0 signature: it has no signature; ');
  expect(areSignaturesFine(unsigned)).toBe(true);
  expect(JSON.stringify(checkJson(foreign))).toContain('"SIGNATURE_REFUSED"');
});

test('synctl sync itself exits red for what it left out, and reads its trusted root first', async () => {
  await using place = await Place.open();
  const root = sigstore.writeTrustedRoot(place.route.folder);
  const flags = ['--verify-signatures', 'require', '--retry', '2'];
  const { code, told } = await place.route.start(...flags, '--trusted-root', root).end();
  expect([code, told]).toEqual([1, expect.stringContaining('signatures: 1 verified, 3 missing')]);
  place.source.journal.clear();
  const wrong = await place.route.start(...flags, '--trusted-root', 'none.json').end();
  expect(wrong.told).toContain('error: trusted-root none.json: there is no such file');
  expect([wrong.code === 0, place.source.journal.entries]).toEqual([false, []]);
});
