import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { beforeAll, describe, expect, test } from 'vitest';
import { parseDocument } from '../../src/config/document.ts';
import { parseImageSet } from '../../src/config/image-set.ts';
import { type Digest, digestOf } from '../../src/registry/oci/digest.ts';
import type { Manifest } from '../../src/registry/oci/manifest.ts';
import { parseHost, parseRepository, parseTag } from '../../src/registry/oci/reference.ts';
import { readCosignLayer } from '../../src/signatures/cosign-layer.ts';
import { SignatureCheck } from '../../src/signatures/signature-check.ts';
import { readBundle } from '../../src/signatures/sigstore-bundle.ts';
import { SigstoreVerifier } from '../../src/signatures/sigstore-verifier.ts';
import type { SignatureVerdict } from '../../src/signatures/verdict.ts';
import type { Image } from '../support/images/image.ts';
import { bytesContent } from '../support/registry/content.ts';
import type { Quirks } from '../support/registry/quirks.ts';
import { startRegistry, type TestRegistry } from '../support/registry/registry.ts';
import { seedImage, seedIndex, seedMade } from '../support/registry/seed.ts';
import { scratchFolder } from '../support/scratch-folder.ts';
import { names } from '../support/sigstore/certificate.ts';
import {
  bundleManifest,
  type CosignLayer,
  cosignLayer,
  cosignManifest,
  cosignPayload,
  messageBundle,
  referrersIndex,
  signatureTag,
  statementBundle,
  timestampedBundle,
} from '../support/sigstore/signature.ts';
import { type Signing, signerExtensions, TestSigstore } from '../support/sigstore/sigstore.ts';
import { TestClient } from '../support/test-client.ts';

const calm = new AbortController().signal;

const RELEASERS: Signing = {
  identity: 'krel-trust@k8s-releng-prod.iam.gserviceaccount.com',
  issuer: 'https://accounts.google.com',
};
const NAME = 'registry.k8s.io/pause';
const OTHER = digestOf(Buffer.from('another image'));

let sigstore: TestSigstore;
let stranger: TestSigstore;
beforeAll(async () => {
  [sigstore, stranger] = await Promise.all([TestSigstore.start(), TestSigstore.start()]);
});

/** One image at a registry, and whatever is put beside it. */
class Stand {
  readonly registry: TestRegistry;
  readonly image: Manifest;

  constructor(registry: TestRegistry) {
    this.registry = registry;
    this.image = seedIndex(registry.storage, 'pause', { tags: ['3.10'] });
  }

  get digest(): Digest {
    return this.image.digest;
  }

  put(tag: string | undefined, image: Image): void {
    seedMade(this.registry.storage, 'pause', tag, image);
  }

  sign(...layers: readonly CosignLayer[]): void {
    this.put(signatureTag(this.digest), cosignManifest(layers));
  }

  async layer(
    signing: Partial<Signing> = {},
    payload = cosignPayload(this.digest, NAME),
  ): Promise<CosignLayer> {
    return cosignLayer(sigstore, payload, { ...RELEASERS, ...signing });
  }

  refer(...bundles: readonly object[]): void {
    const referrers = bundles.map((bundle) => bundleManifest(bundle, this.image));
    const { tag, image } = referrersIndex(this.digest, referrers);
    this.put(tag, image);
  }
}

async function verdictOf(
  prepare: (stand: Stand) => Promise<unknown> | unknown,
  { signatures = {}, quirks = {}, name = NAME }: { signatures?: object; quirks?: Quirks; name?: string } = {},
): Promise<SignatureVerdict> {
  await using registry = await startRegistry({ quirks });
  const stand = new Stand(registry);
  await prepare(stand);
  return await check(stand, signatures, name);
}

async function opened(settings: Parameters<typeof SignatureCheck.open>[1]): Promise<SignatureCheck> {
  const check = await SignatureCheck.open('require', settings, calm);
  if (check === undefined) throw new Error('a check that is required was not opened');
  return check;
}

async function check(stand: Stand, signatures: object, name = NAME): Promise<SignatureVerdict> {
  const [verdict] = await checkTags(stand, ['3.10'], signatures, name);
  if (verdict === undefined) throw new Error('there is no verdict');
  return verdict;
}

/** Checks the image under several tags in one run. */
async function checkTags(
  stand: Stand,
  tags: readonly (string | undefined)[],
  signatures: object = {},
  name = NAME,
): Promise<SignatureVerdict[]> {
  using client = new TestClient(stand.registry.host);
  const set = parseImageSet(
    parseDocument('image_set.json', JSON.stringify({ names: ['pause'], signatures })),
  );
  const checking = await opened({
    policies: set.signatures,
    trustedRoot: sigstore.writeTrustedRoot(scratchFolder()),
    file: 'image_set.json',
  });
  const [host = '', ...path] = name.split('/');
  const image = {
    name: { host: parseHost(host), repository: parseRepository(path.join('/')) },
    digests: [stand.digest],
    places: [{ registry: client.registry, repository: parseRepository('pause') }],
  };
  return await Promise.all(
    tags.map((text) => {
      const tag = text === undefined ? undefined : parseTag(text);
      return checking.check({ ...image, tag, about: `${name}:${text ?? stand.digest}` }, client.signal);
    }),
  );
}

function told(verdict: SignatureVerdict): string {
  if (verdict.kind === 'exempt') return 'exempt';
  if (verdict.kind === 'verified') return `${verdict.form}: ${verdict.identity} (${verdict.issuer})`;
  return `${verdict.failure.code}: ${verdict.failure.message}`;
}

/** As the policy that is built in, but that a signature needs no name. */
const UNNAMED = { 'registry.k8s.io': { ...RELEASERS, acceptUnnamed: true } };

const GOOD = `cosign: ${RELEASERS.identity} (${RELEASERS.issuer})`;
const WANTED = `the policy requires one by ${RELEASERS.identity} (${RELEASERS.issuer})`;

function refused(reason: string): string {
  return `SIGNATURE_REFUSED: its signature is not accepted: ${reason}; ${WANTED}`;
}

describe('a signature under cosign’s tag', () => {
  test.each<[what: string, prepare: (stand: Stand) => Promise<unknown> | unknown, outcome: string]>([
    ['of the releasers', async (it) => it.sign(await it.layer()), GOOD],
    ['missing', () => undefined, `SIGNATURE_MISSING: it has no signature; ${WANTED}`],
    [
      'by someone else',
      async (it) =>
        it.sign(await it.layer({ identity: 'krel-staging@k8s-releng-prod.iam.gserviceaccount.com' })),
      refused('it is by krel-staging@k8s-releng-prod.iam.gserviceaccount.com (https://accounts.google.com)'),
    ],
    [
      'by someone whose name only contains the wanted one',
      async (it) => it.sign(await it.layer({ identity: `x${RELEASERS.identity}.evil.example` })),
      refused(`it is by x${RELEASERS.identity}.evil.example (https://accounts.google.com)`),
    ],
    [
      'by someone whose name fits where dots stand for any character',
      async (it) => it.sign(await it.layer({ identity: RELEASERS.identity.replaceAll('.', 'x') })),
      refused(`it is by ${RELEASERS.identity.replaceAll('.', 'x')} (https://accounts.google.com)`),
    ],
    [
      'by that name at another identity provider',
      async (it) => it.sign(await it.layer({ issuer: 'https://accounts.example.com' })),
      refused(`it is by ${RELEASERS.identity} (https://accounts.example.com)`),
    ],
    [
      'of another image',
      async (it) => it.sign(await it.layer({}, cosignPayload(OTHER, NAME))),
      refused(`it signs another image, ${OTHER.slice(0, 19)}…`),
    ],
    [
      'of this image under another name',
      async (it) => it.sign(await it.layer({}, cosignPayload(it.digest, 'registry.k8s.io/kube-proxy'))),
      refused('it was signed as registry.k8s.io/kube-proxy, not as registry.k8s.io/pause'),
    ],
    [
      'without a name',
      async (it) => it.sign(await it.layer({}, cosignPayload(it.digest, ''))),
      refused('it names no image, and is accepted only with "acceptUnnamed"'),
    ],
    [
      'that would write a line of its own into the log',
      async (it) => it.sign(await it.layer({}, cosignPayload(it.digest, 'a\n::error::b\u001b[2Jc'))),
      refused('it names no image, only a ::error::b\ufffd[2Jc, and is accepted only with "acceptUnnamed"'),
    ],
    [
      'by someone with a name that nobody sees as it is',
      async (it) => it.sign(await it.layer({ identity: `me@example.com\n${RELEASERS.identity}` })),
      refused('it contains a name with invisible characters'),
    ],
    [
      'by a URI that reads as the e-mail address that is wanted',
      async (it) => {
        const named = [names.uri(RELEASERS.identity)];
        it.sign(await it.layer({ extensions: signerExtensions(RELEASERS, { named }) }));
      },
      refused(
        `it is by ${RELEASERS.identity}, which is a URI in its certificate (https://accounts.google.com)`,
      ),
    ],
    [
      'of something that is no image',
      async (it) => it.sign(await it.layer({}, cosignPayload(it.digest, NAME, 'a blob'))),
      refused('its payload is not for an image'),
    ],
    [
      'as the promoter of Kubernetes named it until 2023',
      async (it) => {
        const name = 'europe-west1-docker.pkg.dev/k8s-artifacts-prod/images/pause';
        it.sign(await it.layer({}, cosignPayload(it.digest, name)));
      },
      GOOD,
    ],
    [
      'with a tag in its name',
      async (it) => it.sign(await it.layer({}, cosignPayload(it.digest, `${NAME}:3.10`))),
      GOOD,
    ],
    [
      'with another payload than was signed',
      async (it) => {
        const signed = await it.layer({}, cosignPayload(OTHER, NAME));
        it.sign({ ...signed, payload: cosignPayload(it.digest, NAME) });
      },
      refused('its entry in the log is for something else'),
    ],
    [
      'whose signature is another one than in the log',
      async (it) => {
        const [one, other] = await Promise.all([it.layer(), it.layer()]);
        const key = 'dev.cosignproject.cosign/signature';
        it.sign({ ...one, annotations: { ...one.annotations, [key]: other.annotations[key] ?? '' } });
      },
      refused('its entry in the log is for something else'),
    ],
    [
      'with the certificate of someone else',
      async (it) => {
        const [one, other] = await Promise.all([it.layer({ identity: 'me@example.com' }), it.layer()]);
        const key = 'dev.sigstore.cosign/certificate';
        it.sign({ ...one, annotations: { ...one.annotations, [key]: other.annotations[key] ?? '' } });
      },
      refused('its entry in a log contains another certificate'),
    ],
    [
      'whose payload was altered in the registry',
      async (it) => {
        const layer = await it.layer();
        it.sign(layer);
        const altered = bytesContent(Buffer.from(layer.payload.toString().replace('optional', 'OPTIONAL')));
        it.registry.storage.contents.set(digestOf(layer.payload), altered);
      },
      refused('its content was altered'),
    ],
    [
      'whose payload the registry lost',
      async (it) => {
        const layer = await it.layer();
        it.sign(layer);
        it.registry.storage.deleteBlob('pause', digestOf(layer.payload));
      },
      refused('the registry lists it, but does not have it'),
    ],
    [
      'made after its certificate had expired',
      async (it) => it.sign(await it.layer({ late: true })),
      refused('its certificate was not valid when it was made, or was not issued by a trusted authority'),
    ],
    [
      'with a certificate of an unknown authority',
      async (it) => it.sign(await it.layer({ authority: stranger })),
      refused('its certificate was not valid when it was made, or was not issued by a trusted authority'),
    ],
    [
      'in a log that nobody knows',
      async (it) => it.sign(await it.layer({ log: stranger })),
      refused('it is not in a trusted log'),
    ],
    [
      'at a time that was changed',
      async (it) => {
        const layer = await it.layer();
        const key = 'dev.sigstore.cosign/bundle';
        const bundle = layer.annotations[key]?.replace(/"integratedTime":(\d+)/, (_, time) => {
          return `"integratedTime":${Number(time) + 60}`;
        });
        it.sign({ ...layer, annotations: { ...layer.annotations, [key]: bundle ?? '' } });
      },
      refused('it is not in a trusted log'),
    ],
    [
      'made with a key alone',
      async (it) => {
        const { payload, annotations } = await it.layer();
        const key = 'dev.cosignproject.cosign/signature';
        it.sign({ payload, annotations: { [key]: annotations[key] ?? '' } });
      },
      refused('it has no certificate or no entry in a log, so it names no signer'),
    ],
    [
      'with a certificate that is none',
      async (it) => {
        const layer = await it.layer();
        const pem = '-----BEGIN CERTIFICATE-----\nMAoC\n-----END CERTIFICATE-----\n';
        const bundle = layer.annotations['dev.sigstore.cosign/bundle'] ?? '';
        const body = Buffer.from(/"body":"([^"]+)"/.exec(bundle)?.[1] ?? '', 'base64').toString();
        const own = body.replace(
          /"content":"(LS0t[^"]+)"/,
          `"content":"${Buffer.from(pem).toString('base64')}"`,
        );
        const annotations = {
          ...layer.annotations,
          'dev.sigstore.cosign/certificate': pem,
          'dev.sigstore.cosign/bundle': bundle.replace(
            /"body":"[^"]+"/,
            `"body":"${Buffer.from(own).toString('base64')}"`,
          ),
        };
        it.sign({ ...layer, annotations });
      },
      'SIGNATURE_REFUSED: its signature is not accepted: its certificate is malformed',
    ],
    [
      'one good among several',
      async (it) => {
        const staging = await it.layer({ identity: 'krel-staging@k8s-releng-prod.iam.gserviceaccount.com' });
        const broken = { payload: Buffer.from('nothing'), annotations: {} };
        it.sign(broken, staging, await it.layer({ late: true }), await it.layer());
      },
      GOOD,
    ],
    [
      'none good among several',
      async (it) => it.sign(await it.layer({ identity: 'a@b.c' }), await it.layer({ late: true })),
      'SIGNATURE_REFUSED: none of its 2 signatures is accepted: it is by a@b.c (https://accounts.google.com); ' +
        `its certificate was not valid when it was made, or was not issued by a trusted authority; ${WANTED}`,
    ],
  ])('%s', async (_what, prepare, outcome) => {
    const verdict = told(await verdictOf(prepare));
    if (outcome.endsWith('malformed')) expect(verdict).toContain(outcome);
    else expect(verdict).toBe(outcome);
  });
});

describe('a bundle that refers to an image', () => {
  const BUNDLE = GOOD.replace('cosign', 'bundle');

  test.each<[what: string, prepare: (stand: Stand) => Promise<unknown> | unknown, outcome: string]>([
    [
      'that signs its manifest',
      async (it) => it.refer(await messageBundle(sigstore, it.image.bytes, RELEASERS)),
      BUNDLE,
    ],
    [
      'in a log of the newer kind, with a time of an authority for that',
      async (it) => it.refer(await timestampedBundle(sigstore, it.image.bytes, RELEASERS)),
      BUNDLE,
    ],
    [
      'with a time of an authority that nobody knows',
      async (it) =>
        it.refer(await timestampedBundle(sigstore, it.image.bytes, { ...RELEASERS, clock: stranger })),
      refused('no trusted source shows when it was made'),
    ],
    [
      'in a log of the newer kind that nobody knows',
      async (it) =>
        it.refer(await timestampedBundle(sigstore, it.image.bytes, { ...RELEASERS, log: stranger })),
      refused('it is not in a trusted log'),
    ],
    [
      'with a statement about it',
      async (it) => it.refer(await statementBundle(sigstore, it.digest, RELEASERS)),
      BUNDLE,
    ],
    [
      'that tells who built it',
      async (it) =>
        it.refer(
          await statementBundle(sigstore, it.digest, RELEASERS, {
            predicateType: 'https://slsa.dev/provenance/v1',
          }),
        ),
      BUNDLE,
    ],
    [
      'with a statement that is no signature',
      async (it) =>
        it.refer(
          await statementBundle(sigstore, it.digest, RELEASERS, {
            predicateType: 'https://example.com/failed-its-test',
          }),
        ),
      refused('it is a statement of another kind, https://example.com/failed-its-test'),
    ],
    [
      'with a statement about something else',
      async (it) => it.refer(await statementBundle(sigstore, OTHER, RELEASERS)),
      refused('it is a statement about another image'),
    ],
    [
      'by someone else',
      async (it) => it.refer(await statementBundle(sigstore, it.digest, { ...RELEASERS, identity: 'a@b.c' })),
      refused('it is by a@b.c (https://accounts.google.com)'),
    ],
    [
      'that signs another manifest',
      async (it) => it.refer(await messageBundle(sigstore, Buffer.from('{}'), RELEASERS)),
      refused('it does not match what it signs'),
    ],
    [
      'that is in a log that nobody knows',
      async (it) => it.refer(await statementBundle(sigstore, it.digest, { ...RELEASERS, log: stranger })),
      refused('it is not in a trusted log'),
    ],
    [
      'that can be read in two ways',
      async (it) => {
        const about = await statementBundle(sigstore, it.digest, { ...RELEASERS, identity: 'a@b.c' });
        const other = await statementBundle(sigstore, OTHER, RELEASERS);
        it.refer({ ...other, messageSignature: {} }, { ...other, messageSignature: null }, about);
      },
      'SIGNATURE_REFUSED: none of its 3 signatures is accepted: ',
    ],
    [
      'that the registry lists and does not have',
      async (it) => {
        const bundle = bundleManifest(await statementBundle(sigstore, it.digest, RELEASERS), it.image);
        const { tag, image } = referrersIndex(it.digest, [bundle]);
        it.put(tag, image);
        it.registry.storage.deleteManifest('pause', bundle.digest);
        // With the API it is not even listed.
        it.registry.quirks = {};
      },
      refused('the registry lists it, but does not have it'),
    ],
    ['that is none', (it) => it.refer({ some: 'thing' }), refused('it is not a bundle with a signature')],
    [
      'good, beside a bad one and a bad signature under the tag',
      async (it) => {
        it.sign(await it.layer({ identity: 'a@b.c' }));
        it.refer({}, await statementBundle(sigstore, it.digest, RELEASERS));
      },
      BUNDLE,
    ],
  ])('%s', async (_what, prepare, outcome) => {
    for (const quirks of [{}, { referrersApi: true }]) {
      const verdict = told(await verdictOf(prepare, { quirks, signatures: UNNAMED }));
      if (outcome.endsWith(': ')) expect(verdict).toContain(outcome);
      else expect(verdict).toBe(outcome);
    }
  });

  test('is not believed with more entries of logs than any real one', async () => {
    const verdict = await verdictOf(async (it) => {
      const bundle: { verificationMaterial: { tlogEntries: object[] } } = JSON.parse(
        JSON.stringify(await statementBundle(sigstore, it.digest, RELEASERS)),
      );
      const [entry = {}] = bundle.verificationMaterial.tlogEntries;
      bundle.verificationMaterial.tlogEntries = Array.from({ length: 9 }, () => entry);
      it.refer(bundle);
    });
    expect(told(verdict)).toBe(
      refused('a part of it is larger than in any real bundle: verificationMaterial.tlogEntries'),
    );
  });
});

describe('a bundle of the releasers', () => {
  const PROXY = 'registry.k8s.io/kube-proxy';
  const BUNDLE = GOOD.replace('cosign', 'bundle');
  const NAMELESS = refused('it names no image, and is accepted only with "acceptUnnamed"');
  type Said = Parameters<typeof statementBundle>[3];
  const says = (said: Said) => async (it: Stand) =>
    it.refer(await statementBundle(sigstore, it.digest, RELEASERS, said));
  const promoted = (predicate: object): Said => ({
    names: [NAME],
    predicateType: 'https://k8s.io/promo-tools/promotion/v1',
    predicate,
  });

  test('that names tags and no image counts for these tags alone, where such ones count', async () => {
    const tell = async (tags: readonly string[]) =>
      told(await verdictOf(says({ ...promoted({ tags }), names: [] }), { signatures: UNNAMED }));
    expect(await tell(['3.9', '3.10'])).toBe(BUNDLE);
    expect(await tell(['3.9'])).toContain('it was signed for 3.9, not for 3.10');
  });

  test.each<[what: string, prepare: (stand: Stand) => Promise<unknown> | unknown, outcome: string]>([
    ['that names it', says({ names: [NAME] }), BUNDLE],
    ['that names it with its tag', says({ names: [`${NAME}:3.10`] }), BUNDLE],
    ['that names it beside another name', says({ names: [PROXY, NAME] }), BUNDLE],
    [
      'that names another image',
      says({ names: [PROXY] }),
      refused(`it was signed as ${PROXY}, not as ${NAME}`),
    ],
    [
      'that names another image, and this one with another digest',
      says({ names: [PROXY], others: { [NAME]: OTHER } }),
      refused(`it was signed as ${PROXY}, not as ${NAME}`),
    ],
    ['that names this one among others', says({ names: [NAME], others: { [PROXY]: OTHER } }), BUNDLE],
    [
      'that names another tag of it',
      says({ names: [`${NAME}:3.9`] }),
      refused('it was signed for 3.9, not for 3.10'),
    ],
    ['that names nothing, as cosign’s own', says({}), NAMELESS],
    [
      'that names a file',
      says({ names: ['pause.tar.gz'] }),
      refused('it names no image, only pause.tar.gz, and is accepted only with "acceptUnnamed"'),
    ],
    [
      'that signs its manifest',
      async (it) => it.refer(await messageBundle(sigstore, it.image.bytes, RELEASERS)),
      NAMELESS,
    ],
    ['that promoted it', says(promoted({ dstRef: NAME, tags: ['3.10', '3.10.1'] })), BUNDLE],
    ['that promoted it without a tag', says(promoted({ dstRef: NAME })), BUNDLE],
    [
      'that promoted another image',
      says(promoted({ dstRef: PROXY, tags: ['3.10'] })),
      refused(`it was signed as ${PROXY}, not as ${NAME}`),
    ],
    [
      'that promoted it to somewhere else',
      says(promoted({ destination: { name: PROXY } })),
      refused(`it was signed as ${PROXY}, not as ${NAME}`),
    ],
    [
      'that promoted it with other tags',
      says(promoted({ dstRef: NAME, tags: ['3.9', '3.9.1'] })),
      refused('it was signed for 3.9 and 3.9.1, not for 3.10'),
    ],
    [
      'that names it once with one tag and once with another',
      says(promoted({ dstRef: `${NAME}:3.10`, tags: ['3.9'] })),
      refused('it was signed with names that have no tag in common, not for 3.10'),
    ],
    [
      'that counts, behind others that do not',
      async (it) => {
        const said: Said[] = [{ names: [PROXY] }, {}, { names: [`${NAME}:3.9`] }, { names: [NAME] }];
        it.refer(
          ...(await Promise.all(said.map((one) => statementBundle(sigstore, it.digest, RELEASERS, one)))),
        );
      },
      BUNDLE,
    ],
  ])('%s', async (_what, prepare, outcome) => {
    expect(told(await verdictOf(prepare))).toBe(outcome);
  });

  test('or a classic signature for another tag of the same repository does not count', async () => {
    const verdict = await verdictOf(async (it) =>
      it.sign(await it.layer({}, cosignPayload(it.digest, `${NAME}:3.9`))),
    );
    expect(told(verdict)).toBe(refused('it was signed for 3.9, not for 3.10'));
  });

  test('counts for the tags that it names only, and is asked for once where it names them', async () => {
    await using registry = await startRegistry();
    const stand = new Stand(registry);
    const said = [promoted({ dstRef: NAME, tags: ['3.10', '3.10.1'] }), { names: [`${NAME}:3.11`] }];
    stand.refer(
      ...(await Promise.all(said.map((one) => statementBundle(sigstore, stand.digest, RELEASERS, one)))),
    );
    const ask = async (tags: readonly (string | undefined)[]) => {
      registry.journal.clear();
      const outcomes = await checkTags(stand, tags);
      return { outcomes: outcomes.map(told), bundles: registry.journal.count('blob-get') };
    };
    expect(await ask(['3.10', '3.10.1', undefined])).toEqual({
      outcomes: [BUNDLE, BUNDLE, BUNDLE],
      bundles: 1,
    });
    expect((await ask(['3.10', '3.11', '3.9'])).outcomes).toEqual([
      BUNDLE,
      BUNDLE,
      'SIGNATURE_REFUSED: none of its 2 signatures is accepted: it was signed for 3.10 and 3.10.1, not for 3.9; ' +
        `it was signed for 3.11, not for 3.9; ${WANTED}`,
    ]);
  });

  test('that names nothing counts where the policy of its signer says so, and the refusal tells how', async () => {
    const nothing = says({});
    expect(await verdictOf(nothing)).toMatchObject({
      failure: { code: 'SIGNATURE_REFUSED', hint: expect.stringContaining('"acceptUnnamed": true') },
    });
    const other = { ...RELEASERS, identity: 'someone@example.com' };
    const everyone = { ...RELEASERS, identity: '*@k8s-releng-prod.iam.gserviceaccount.com' };
    const tell = async (signers: object[], prepare = nothing) =>
      told(await verdictOf(prepare, { signatures: { 'registry.k8s.io': signers } }));
    expect(await tell([{ ...RELEASERS, acceptUnnamed: true }])).toBe(BUNDLE);
    expect(await tell([RELEASERS, { ...everyone, acceptUnnamed: true }])).toBe(BUNDLE);
    // Only what is said of this signer counts.
    expect(await tell([RELEASERS, { ...other, acceptUnnamed: true }])).toContain('it names no image');
    expect(await tell([{ ...RELEASERS, acceptUnnamed: false }])).toBe(NAMELESS);
    // A name that is there is compared all the same.
    const proxy = says({ names: [PROXY] });
    expect(await tell([{ ...RELEASERS, acceptUnnamed: true }], proxy)).toContain(`signed as ${PROXY}`);
  });
});

test('what was verified is verified again when a policy or root changes, or is about another name', async () => {
  const policyOf = async (signer: object, path: string, tag: string, trustedRoot?: string) => {
    const { signatures: policies } = parseImageSet(
      parseDocument(
        'image_set.json',
        JSON.stringify({ names: ['pause'], signatures: { 'quay.io': signer } }),
      ),
    );
    const checking = await opened({ policies, trustedRoot, file: 'image_set.json' });
    const name = { host: parseHost('quay.io'), repository: parseRepository(path) };
    const stance = checking.stanceOn({ name, tag: parseTag(tag) });
    return stance.kind === 'signed' ? stance.policy : stance.kind;
  };
  const known = await policyOf(RELEASERS, 'a/pause', '3.10');
  expect(await policyOf({ ...RELEASERS, acceptUnnamed: false }, 'a/pause', '3.10')).toBe(known);
  const others = await Promise.all([
    policyOf({ ...RELEASERS, acceptUnnamed: true }, 'a/pause', '3.10'),
    policyOf({ ...RELEASERS, signedAs: 'ghcr.io' }, 'a/pause', '3.10'),
    policyOf(RELEASERS, 'b/pause', '3.10'),
    policyOf(RELEASERS, 'a/pause', '3.9'),
    policyOf(RELEASERS, 'a/pause', '3.10', sigstore.writeTrustedRoot(scratchFolder())),
    policyOf(RELEASERS, 'a/pause', '3.10', stranger.writeTrustedRoot(scratchFolder())),
  ]);
  expect([...new Set([known, ...others])]).toHaveLength(7);
  // As version 1.0.0 wrote it, which counted bundles of any image.
  const scopeAndPolicy = ['quay.io', { kind: 'signed', signers: [RELEASERS] }];
  const before = createHash('sha256').update(JSON.stringify(scopeAndPolicy)).digest('hex').slice(0, 12);
  expect(known).not.toBe(before);
});

test('what a registry makes up to keep us busy costs a bounded number of requests', async () => {
  await using registry = await startRegistry();
  const stand = new Stand(registry);
  const made = Array.from({ length: 300 }, (_, index) => bundleManifest({ index }, stand.image));
  const { tag, image } = referrersIndex(stand.digest, made);
  const untold = Buffer.from(image.bytes.toString().replaceAll(/,"artifactType":"[^"]+"/g, ''));
  stand.put(undefined, image);
  registry.storage.putManifest('pause', untold, image.mediaType, [tag]);
  expect(told(await check(stand, {}))).toContain('none of the first 64 of its signatures is accepted');
  const bare = { ...cosignManifest([]), blobs: new Map() };
  const many = Array.from({ length: 300 }, (_, index) => {
    const bytes = Buffer.from(bare.bytes.toString().replace('{', `{"annotations":{"n":"${index}"},`));
    return { ...bare, bytes, digest: digestOf(bytes) };
  });
  const listed = referrersIndex(stand.digest, many).image.bytes.toString();
  for (const each of many) stand.put(undefined, each);
  registry.storage.putManifest(
    'pause',
    Buffer.from(listed.replaceAll(/,"artifactType":"[^"]+"/g, '')),
    image.mediaType,
    [tag],
  );
  registry.journal.clear();
  expect(told(await check(stand, {}))).toContain('SIGNATURE_MISSING');
  expect(registry.journal.count('manifest-get')).toBeLessThan(70);
});

test('layers in a signature tag beyond any number are not all read', async () => {
  await using registry = await startRegistry();
  const stand = new Stand(registry);
  stand.sign(
    ...Array.from({ length: 300 }, (_, index) => ({ payload: Buffer.from(`${index}`), annotations: {} })),
  );
  expect(told(await check(stand, {}))).toContain('none of the first 64 of its signatures is accepted');
  expect(registry.journal.count('blob-get')).toBeLessThan(70);
});

test('nothing that a registry can say ends in anything but a candidate or a reason', () => {
  const text = fc.oneof(
    fc.string(),
    fc.json(),
    fc.constantFrom('', '{', '-----BEGIN CERTIFICATE-----', 'null'),
  );
  const annotations = fc.record({
    'dev.cosignproject.cosign/signature': text,
    'dev.sigstore.cosign/certificate': text,
    'dev.sigstore.cosign/bundle': text,
  });
  const kinds = ['candidate', 'unfit'];
  fc.assert(
    fc.property(fc.oneof(annotations, fc.anything()), text, (given, payload) => {
      expect(kinds).toContain(
        readCosignLayer({ annotations: given, payload: Buffer.from(payload) }, OTHER).kind,
      );
      expect(kinds).toContain(readBundle(Buffer.from(payload), OTHER, Buffer.from('')).kind);
    }),
    { numRuns: 300 },
  );
  const verifier = new SigstoreVerifier(sigstore.trustedRoot);
  fc.assert(
    fc.property(fc.json({ maxDepth: 4 }), (bundle) => {
      const candidate = {
        kind: 'candidate',
        form: 'bundle',
        artifact: undefined,
        names: { claims: [] },
      } as const;
      expect(() => verifier.verify({ ...candidate, bundle: JSON.parse(bundle) })).toThrow();
    }),
    { numRuns: 300 },
  );
});

describe('a policy', () => {
  const signedByMe = async (it: Stand) => {
    const payload = cosignPayload(it.digest, 'quay.io/team/pause');
    it.sign(
      await it.layer(
        {
          identity: 'https://github.com/team/pause/.github/workflows/release.yml@refs/tags/v3',
          issuer: 'https://token.actions.githubusercontent.com',
        },
        payload,
      ),
    );
  };
  const me = {
    identity: 'https://github.com/team/pause/.github/workflows/release.yml@refs/tags/v*',
    issuer: 'https://token.actions.githubusercontent.com',
  };

  test.each<[what: string, signatures: object, name: string, outcome: string]>([
    ['off for a registry', { 'quay.io': 'off' }, 'quay.io/team/pause', 'exempt'],
    ['off for a path', { 'quay.io/team': 'off', 'quay.io': me }, 'quay.io/team/pause', 'exempt'],
    ['off for another path', { 'quay.io/te': 'off', 'quay.io': me }, 'quay.io/team/pause', 'cosign: '],
    ['with a star', { 'quay.io/team': me }, 'quay.io/team/pause', 'cosign: '],
    [
      'with several signers',
      { 'quay.io': [{ ...me, identity: 'someone@example.com' }, me] },
      'quay.io/team/pause',
      'cosign: ',
    ],
    [
      'with a star that stands for less',
      { 'quay.io': { ...me, identity: me.identity.replace('v*', '*.0') } },
      'quay.io/team/pause',
      'SIGNATURE_REFUSED: ',
    ],
    [
      'of images that were signed elsewhere',
      { 'docker.io/mirror': { ...me, signedAs: 'quay.io/team' } },
      'docker.io/mirror/pause',
      'cosign: ',
    ],
    [
      'of images that were not signed here',
      { 'docker.io/mirror': me },
      'docker.io/mirror/pause',
      'SIGNATURE_REFUSED: its signature is not accepted: it was signed as quay.io/team/pause, not as docker.io/mirror/pause',
    ],
    [
      'that is not there',
      { 'quay.io/other': me },
      'quay.io/team/pause',
      'SIGNATURE_POLICY_MISSING: no policy names the signer of the images of quay.io',
    ],
    ['in place of the one that is known', { 'registry.k8s.io': 'off' }, NAME, 'exempt'],
  ])('%s', async (_what, signatures, name, outcome) => {
    expect(told(await verdictOf(signedByMe, { signatures, name }))).toContain(outcome);
  });

  test('of images that were signed elsewhere is one of bundles too', async () => {
    const bundled = async (it: Stand) => {
      const identity = 'https://github.com/team/pause/.github/workflows/release.yml@refs/tags/v3';
      const statement = { names: ['quay.io/Team/pause'] };
      it.refer(await statementBundle(sigstore, it.digest, { ...me, identity }, statement));
    };
    const name = 'docker.io/mirror/pause';
    const policed = async (signer: object) =>
      told(await verdictOf(bundled, { signatures: { 'docker.io/mirror': signer }, name }));
    expect(await policed({ ...me, signedAs: 'quay.io/team' })).toContain('bundle: ');
    expect(await policed({ ...me, acceptUnnamed: true })).toContain(
      'it was signed as quay.io/Team/pause, not as docker.io/mirror/pause',
    );
  });
});

test('an image of one platform, and a child of an index, are signed by their own digest', async () => {
  await using registry = await startRegistry();
  const stand = new Stand(registry);
  const single = seedImage(registry.storage, 'pause', { seed: 'single' });
  stand.put(
    signatureTag(single.digest),
    cosignManifest([await stand.layer({}, cosignPayload(single.digest, NAME))]),
  );
  using client = new TestClient(registry.host);
  const checking = await opened({
    policies: [],
    trustedRoot: sigstore.writeTrustedRoot(scratchFolder()),
    file: 'image_set.json',
  });
  const image = {
    name: { host: parseHost('registry.k8s.io'), repository: parseRepository('pause') },
    tag: undefined,
    about: 'pause',
    places: [{ registry: client.registry, repository: parseRepository('pause') }],
  };
  const verdict = await checking.check({ ...image, digests: [stand.digest, single.digest] }, client.signal);
  expect(told(verdict)).toBe(GOOD);
});

test('what a registry cannot give just now is told as that, and not as an image without a signature', async () => {
  await using registry = await startRegistry();
  const stand = new Stand(registry);
  stand.sign(await stand.layer());
  registry.fail({ match: { kind: 'blob-get' }, times: Infinity, fault: { kind: 'status', status: 503 } });
  expect(await check(stand, {})).toMatchObject({
    kind: 'unverified',
    failure: { code: 'REGISTRY_BROKEN' },
  });
});

test('a trusted root that is none is refused before anything is asked', async () => {
  const checking = (trustedRoot: string) =>
    SignatureCheck.open('require', { policies: [], trustedRoot, file: 'image_set.json' }, calm);
  const folder = scratchFolder();
  await expect(checking(`${folder}/none.json`)).rejects.toMatchObject({
    code: 'TRUSTED_ROOT_MALFORMED',
    message: 'there is no such file',
  });
  await expect(checking('package.json')).rejects.toMatchObject({ code: 'TRUSTED_ROOT_MALFORMED' });
  await expect(checking('README.md')).rejects.toMatchObject({ message: 'it is not JSON' });
});
