import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { describeFailure, failureCode } from '../../src/lib/failure.ts';
import type { Digest } from '../../src/registry/oci/digest.ts';
import { formatPackSummary } from '../../src/summary/pack-summary.ts';
import { PlainPush } from '../support/images/push.ts';
import { describeWith } from '../support/programs.ts';
import {
  bundleManifest,
  cosignLayer,
  cosignManifest,
  cosignPayload,
  referrersIndex,
  signatureTag,
  statementBundle,
} from '../support/sigstore/signature.ts';
import { TestSigstore } from '../support/sigstore/sigstore.ts';
import { PackWorld } from './pack-world.ts';

const ME = { identity: 'release@example.com', issuer: 'https://accounts.example.com' };

describeWith(['docker-registry'], 'packing with signatures', () => {
  let world: PackWorld;
  let sigstore: TestSigstore;
  let flags: Record<string, string>;

  beforeAll(async () => {
    [world, sigstore] = await Promise.all([PackWorld.start(), TestSigstore.start()]);
    flags = { 'trusted-root': sigstore.writeTrustedRoot(world.folder) };
    // One signed beside the mirror's copy, one only at its maker's, and one by the digest of its platform alone.
    await sign('mirror', 'kube-proxy', indexOf('kube-proxy'));
    await sign('maker', 'coredns/coredns', indexOf('coredns'));
    await sign('mirror', 'pause', world.manifest('pause'));
  });
  afterAll(() => world[Symbol.asyncDispose]());

  function indexOf(name: string): Digest {
    const image = world.images.get(name);
    if (image === undefined) throw new Error(`there is no ${name}`);
    return image.digest;
  }

  async function sign(at: 'maker' | 'mirror', path: string, digest: Digest): Promise<void> {
    const payload = cosignPayload(digest, `${world.maker.host}/${path}`);
    const image = cosignManifest([await cosignLayer(sigstore, payload, ME)]);
    const repository = at === 'mirror' ? `keel/${path}` : path;
    await new PlainPush(world[at]).push(repository, signatureTag(digest), image);
  }

  function versions(signatures: object = { [world.maker.host]: ME }) {
    return { ...world.versions(), signatures };
  }

  function pack(name: string, values: Record<string, string> = {}) {
    return world.pack({ ...flags, ...values }, { name });
  }

  function contentsOf(file: string): { images: { name: string; signature?: object }[] } {
    return JSON.parse(execFileSync('tar', ['-xzOf', file, 'keel-package.json'], { encoding: 'utf8' }));
  }

  it('takes signatures from the mirror, else from the maker, and tells in the package whose they are', async () => {
    world.write(versions());
    const { result, reporter } = await pack('signed', { 'verify-signatures': 'require' });
    if (result.kind !== 'packed') throw new Error(result.kind);
    expect(contentsOf(result.file.path).images.map(({ name, signature }) => [name, signature])).toEqual([
      ['kube-proxy', { kind: 'verified', ...ME }],
      ['coredns', { kind: 'verified', ...ME }],
      ['pause', { kind: 'verified', ...ME }],
    ]);
    const facts = { file: result.file, contents: result.contents, duration: result.duration };
    const page = formatPackSummary({ ...facts, locations: [], failures: [] });
    expect(page.match(/, signed by release/g)).toHaveLength(3);
    // The file that the package has of itself still says whose signatures count.
    const resolved: object = JSON.parse(
      execFileSync('tar', ['-xzOf', result.file.path, 'versions.json'], { encoding: 'utf8' }),
    );
    expect(resolved).toMatchObject({ signatures: { [world.maker.host]: [ME] } });
    expect(reporter.lines.join('\n')).toContain(', signed by release@example.com');
    expect(reporter.warnings.filter((text) => text.includes('signature'))).toEqual([]);
  });

  it('packs nothing where one is required and none counts, and fetches no layer of it', async () => {
    world.write(versions({ [world.maker.host]: { ...ME, identity: 'other@example.com' } }));
    const failure: unknown = await pack('refused', { 'verify-signatures': 'require' }).catch(
      (error) => error,
    );
    expect(failureCode(failure)).toBe('IMAGES_FAILED');
    expect(describeFailure(failure)).toContain(
      `${world.maker.host}/pause:3.10.2: its signature is not accepted: it is by release@example.com (https://accounts.example.com); the policy requires one by other@example.com`,
    );
    expect(existsSync(join(world.folder, 'refused/out/kube-1.37.1-amd64.tar.gz'))).toBe(false);
  });

  it('packs with a warning where signatures are only looked for, and the lock remembers', async () => {
    const pause = `${world.maker.host}/pause`;
    const other = { ...ME, identity: 'other@example.com' };
    world.write(versions({ [world.maker.host]: ME, [pause]: other }));
    const lock = join(world.folder, 'warned.lock.json');
    const { result, reporter } = await pack('warned', { 'verify-signatures': 'warn', lock });
    if (result.kind !== 'packed') throw new Error(result.kind);
    const reason =
      'its signature is not accepted: it is by release@example.com (https://accounts.example.com); the policy requires one by other@example.com (https://accounts.example.com)';
    expect(reporter.warnings).toContain(`1 image without a valid signature: ${reason}: ${pause}:3.10.2`);
    expect(contentsOf(result.file.path).images.at(-1)?.signature).toEqual({ kind: 'unverified', reason });
    const again = await pack('again', { lock });
    if (again.result.kind !== 'packed') throw new Error(again.result.kind);
    expect(again.result.file.sha256).toBe(result.file.sha256);
    // What the lock says was verified needs no signature any more; what it does not has to have one.
    await expect(pack('required', { 'verify-signatures': 'require', lock })).rejects.toMatchObject({
      code: 'SIGNATURE_REFUSED',
      about: `${pause}:3.10.2`,
    });
  });

  it('verifies again what a lock says was verified, where other signatures count now or the lock is older', async () => {
    world.write(versions());
    const lock = join(world.folder, 'signed.lock.json');
    await pack('first', { 'verify-signatures': 'require', lock });
    const { images }: { images: object[] } = JSON.parse(readFileSync(lock, 'utf8'));
    expect(images).toEqual(images.map(() => expect.objectContaining({ signedUnder: expect.any(String) })));
    const other = { [world.maker.host]: { ...ME, identity: 'other@example.com' } };
    world.write(versions(other));
    const again = () => pack('locked', { 'verify-signatures': 'require', lock });
    await expect(again()).rejects.toMatchObject({ code: 'IMAGES_FAILED' });
    // Version 1.0.0 wrote none, and counted a bundle of any image.
    const older = readFileSync(lock, 'utf8').replaceAll(/,\s*"signedUnder": "[0-9a-f]+"/g, '');
    expect(older).not.toContain('signedUnder');
    writeFileSync(lock, older);
    await expect(again()).rejects.toMatchObject({ code: 'IMAGES_FAILED' });
    world.write(versions());
    expect((await again()).result.kind).toBe('packed');
  });

  it('tells in the package what this run found where that is otherwise than its lock says', async () => {
    world.write(versions());
    const lock = join(world.folder, 'claimed.lock.json');
    const packWith = async (name: string, values: Record<string, string> = {}) => {
      const { result, reporter } = await pack(name, { 'verify-signatures': 'warn', lock, ...values });
      if (result.kind !== 'packed') throw new Error(result.kind);
      const signatures = contentsOf(result.file.path).images.map(({ signature }) => signature);
      const differing = reporter.warnings.filter((text) => text.startsWith(lock));
      return { signatures, differing, sha256: result.file.sha256 };
    };
    const verified = { kind: 'verified', ...ME };
    const first = await packWith('claimed');
    expect(first).toMatchObject({ signatures: [verified, verified, verified], differing: [] });
    // Other authorities count now, so nothing of this counts any more.
    const others = mkdtempSync(join(world.folder, 'others-'));
    const elsewhere = { 'trusted-root': (await TestSigstore.start()).writeTrustedRoot(others) };
    const refused = {
      kind: 'unverified',
      reason: expect.stringContaining('not issued by a trusted authority'),
    };
    expect(await packWith('unclaimed', elsewhere)).toMatchObject({
      signatures: [refused, refused, refused],
      differing: [
        expect.stringContaining(': images and components match the lock, but the signatures of 3 images ('),
      ],
    });
    expect(await packWith('unasked', { 'verify-signatures': 'off' })).toEqual(first);
    // What had no signature then may have one by now.
    const text = readFileSync(lock, 'utf8');
    const signature = /"kind": "verified",\s*"identity": "[^"]*",\s*"issuer": "[^"]*"/;
    writeFileSync(lock, text.replace(signature, '"kind": "unverified", "reason": "then"'));
    expect((await packWith('signed-since')).signatures).toEqual([verified, verified, verified]);
    // Why there is none may be told in other words each time, and changes no package.
    expect((await packWith('unsigned-still', elsewhere)).signatures[0]).toEqual({
      kind: 'unverified',
      reason: 'then',
    });
  });

  it('refuses before anything is fetched what nobody said a signer for, also in a dry run', async () => {
    world.write(world.versions());
    const failure: unknown = await pack('unsaid', {
      'verify-signatures': 'require',
      'dry-run': 'true',
    }).catch((error) => error);
    const described = describeFailure(failure);
    expect(described).toContain('images: 3 of 3 have no policy that names their signers\n');
    expect(described).toContain(`no policy names the signer of the images of ${world.maker.host}`);
    world.write(versions({ [`${world.maker.host}/pause`]: 'off', [world.maker.host]: ME }));
    const { reporter } = await pack('planned', { 'verify-signatures': 'require', 'dry-run': 'true' });
    expect(reporter.lines.at(-1)).toBe(
      'signatures: required for 2 images, not for 1 whose registry is "off"',
    );
  });

  it('looks in the repository of the maker too where the mirror is another one at its registry', async () => {
    const coredns = world.images.get('coredns');
    if (coredns === undefined) throw new Error('there is no coredns');
    await new PlainPush(world.maker).push('others/coredns/coredns', 'v1.14.6', coredns);
    const file = versions();
    world.write({ ...file, images: file.images.filter(({ name }) => name === 'coredns') });
    const from = { 'image-source': `${world.maker.host}/others` };
    const { result } = await pack('beside', { 'verify-signatures': 'require', ...from });
    if (result.kind !== 'packed') throw new Error(result.kind);
    expect(contentsOf(result.file.path).images).toMatchObject([{ signature: { kind: 'verified', ...ME } }]);
  });

  it('says that the maker cannot be asked where the mirror has no signature', async () => {
    const nowhere = '127.0.0.1:1';
    const file = versions({ [nowhere]: ME });
    const images = file.images.filter(({ name }) => name === 'coredns');
    world.write({
      ...file,
      images: images.map((each) => ({ ...each, image: `${nowhere}/coredns/coredns` })),
    });
    await expect(pack('walled', { 'verify-signatures': 'require' })).rejects.toMatchObject({
      code: 'SIGNATURE_MISSING',
      message: expect.stringContaining(
        `${world.mirror.host} has no signature for it, and its upstream registry cannot be reached: `,
      ),
      hint: 'mirror the signatures with the images: synctl sync --signatures copy',
    });
    // One at the mirror that does not count is not all that there is either.
    world.write({
      ...file,
      images: file.images
        .filter(({ name }) => name === 'pause')
        .map((each) => ({ ...each, image: `${nowhere}/pause` })),
    });
    await expect(pack('walled', { 'verify-signatures': 'require' })).rejects.toMatchObject({
      code: 'SIGNATURE_REFUSED',
      message: expect.stringMatching(
        /^its signature is not accepted: it was signed as \S+\/pause, not as 127\.0\.0\.1:1\/pause; .*, and its upstream registry cannot be reached: /,
      ),
    });
  });

  it('does not take the bundle of kube-proxy for coredns, nor one that names nothing unless that is said', async () => {
    const signer = { ...ME, identity: 'bundles@example.com' };
    const name = `${world.maker.host}/coredns/coredns`;
    const write = (policy: object) => {
      const file = versions({ [world.maker.host]: policy });
      world.write({ ...file, images: file.images.filter((each) => each.name === 'coredns') });
    };
    const refer = async (...names: string[]) => {
      const image = world.images.get('coredns');
      if (image === undefined) throw new Error('there is no coredns');
      const statement = { names, others: { [name]: indexOf('kube-proxy') } };
      const bundle = await statementBundle(sigstore, image.digest, signer, statement);
      const { tag, image: list } = referrersIndex(image.digest, [bundleManifest(bundle, image)]);
      await new PlainPush(world.mirror).push('keel/coredns/coredns', tag, list);
    };
    const packed = () => pack('bundled', { 'verify-signatures': 'require' });
    write({ ...signer, acceptUnnamed: true });
    await refer(`${world.maker.host}/kube-proxy`);
    await expect(packed()).rejects.toMatchObject({
      code: 'SIGNATURE_REFUSED',
      message: expect.stringContaining(`it was signed as ${world.maker.host}/kube-proxy, not as ${name}; `),
    });
    await refer();
    expect((await packed()).result.kind).toBe('packed');
    write(signer);
    await expect(packed()).rejects.toMatchObject({
      code: 'SIGNATURE_REFUSED',
      message: expect.stringContaining('it names no image, and is accepted only with "acceptUnnamed"; '),
      hint: expect.stringContaining('"acceptUnnamed": true'),
    });
    await refer(`${name}:v1.14.5`);
    await expect(packed()).rejects.toMatchObject({
      message: expect.stringContaining('it was signed for v1.14.5, not for v1.14.6; '),
    });
    await refer(`${name}:v1.14.6`);
    expect((await packed()).result.kind).toBe('packed');
  });
});
