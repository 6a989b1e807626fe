// This file loads some 40 modules; only trusted-root.ts imports it, when a signature is to be verified.
import { type Bundle, bundleFromJSON } from '@sigstore/bundle';
import { TrustedRoot } from '@sigstore/protobuf-specs';
import { toSignedEntity, toTrustMaterial, Verifier } from '@sigstore/verify';
import { type Digest, digestOf } from '../registry/oci/digest.ts';
import { refuseCostlyParts, refuseLargeParts } from './bundle-bounds.ts';
import type { Candidate } from './candidate.ts';
import { checkLogEntry, type LogEntry } from './log-entry.ts';
import { signedContent } from './signed-content.ts';
import { type FoundSigner, isForTimestamps, readSigner } from './signer-certificate.ts';
import { completeTimestamps, signingTimes } from './signing-time.ts';
import { Untrusted } from './untrusted.ts';

type TrustMaterial = ReturnType<typeof toTrustMaterial>;

/** Verifies signatures against one trusted root, without a network. */
export class SigstoreVerifier {
  readonly #verifier: Verifier;
  readonly #logs: TrustMaterial['tlogs'];
  /** Changes with the trusted root. */
  readonly rootDigest: Digest;

  /** `root` is the JSON of a trusted_root.json. Throws what is wrong with it. */
  constructor(root: unknown) {
    const parsed = TrustedRoot.fromJSON(root);
    const { tlogs, certificateAuthorities, ctlogs, timestampAuthorities } = parsed;
    if (tlogs.length === 0 || certificateAuthorities.length === 0 || ctlogs.length === 0) {
      throw new Error('it has no certificate authority, no log of certificates or no log of signatures');
    }
    if ([...tlogs, ...ctlogs].some(({ publicKey }) => publicKey?.validFor?.start === undefined)) {
      throw new Error('it does not contain the time from which to trust a log');
    }
    const trusted = toTrustMaterial({
      ...parsed,
      timestampAuthorities: timestampAuthorities.filter(({ certChain }) => {
        const [leaf] = certChain?.certificates ?? [];
        return leaf !== undefined && isForTimestamps(Buffer.from(leaf.rawBytes));
      }),
    });
    this.#logs = trusted.tlogs;
    this.rootDigest = digestOf(Buffer.from(JSON.stringify(TrustedRoot.toJSON(parsed))));
    const thresholds = { tlogThreshold: 1, ctlogThreshold: 1, timestampThreshold: 1 };
    this.#verifier = new Verifier(trusted, thresholds);
  }

  /**
   * Returns who made a signature, proved by a certificate that was valid then, its log, and the log of signatures. It does
   * not compare that with a policy. Throws why a signature is not valid.
   */
  verify({ bundle, artifact }: Candidate): FoundSigner {
    refuseLargeParts(bundle);
    const parsed = bundleFromJSON(bundle);
    const { tlogEntries } = parsed.verificationMaterial;
    const certificates = certificatesOf(parsed);
    refuseCostlyParts(parsed, certificates);
    const [certificate] = certificates;
    if (certificate === undefined)
      throw new Untrusted('it was made with a key, which does not name a signer');
    const signer = readSigner(certificate);
    for (const entry of tlogEntries) checkLogEntry(entry, certificate);
    const entity = toSignedEntity(parsed, artifact);
    completeTimestamps(entity.timestamps);
    const signature = signedContent(parsed.content, artifact, entity.signature);
    // Without a policy: the library reads the wanted name as a regular expression that may match anywhere.
    this.#verifier.verify({ ...entity, signature });
    const times = signingTimes(entity.timestamps);
    for (const entry of tlogEntries) this.#checkTimes(entry, times);
    return signer;
  }

  /** The library checks the time of an entry only if the log promised it. */
  #checkTimes({ logId }: LogEntry, times: readonly Date[]): void {
    const isValid = this.#logs.some(
      ({ logID, validFor }) =>
        logID.equals(logId.keyId) && times.every((time) => validFor.start <= time && time <= validFor.end),
    );
    if (!isValid) throw new Untrusted('its log was not trusted at the time of the signature');
  }
}

/** Returns the certificate of the signer and those that come with it; none if a bare key signed. */
function certificatesOf({ verificationMaterial: { content } }: Bundle): readonly Buffer[] {
  switch (content.$case) {
    case 'publicKey':
      return [];
    case 'certificate':
      return [Buffer.from(content.certificate.rawBytes)];
    case 'x509CertificateChain':
      return content.x509CertificateChain.certificates.map(({ rawBytes }) => Buffer.from(rawBytes));
  }
}
