import type { Flag } from './flag.ts';
import type { FlagReader } from './flag-reader.ts';
import { oneOf } from './flag-value.ts';

/** Whether signatures of images are verified: no, with a warning, or as a condition for each image. */
export type VerificationMode = 'off' | 'warn' | 'require';

/** The flags for verifying signatures, the same in all tools. */
export const SIGNATURE_FLAGS = [
  {
    name: 'verify-signatures',
    value: 'off|warn|require',
    default: 'off',
    group: 'Trust',
    description: 'Verify image signatures: off, warn if an image has no valid signature, or require one',
  },
  {
    name: 'trusted-root',
    value: 'FILE',
    defaultNote: "Sigstore's public root, as of this version",
    group: 'Trust',
    description: 'trusted_root.json with the authorities and logs that signatures are verified against',
  },
] as const satisfies readonly Flag[];

/** The values of the flags for verifying signatures. */
interface SignatureSettings {
  readonly verifySignatures: VerificationMode;
  /** Path of a trusted_root.json; Sigstore's public one if undefined. */
  readonly trustedRoot: string | undefined;
}

/** Returns whether signatures are verified and against which root. Adds a notice about a root that is not used. */
export function readSignatureSettings(
  flags: FlagReader<(typeof SIGNATURE_FLAGS)[number]['name']>,
  notices: Set<string>,
): SignatureSettings {
  const verifySignatures = flags.required('verify-signatures', oneOf('off', 'warn', 'require'));
  const trustedRoot = flags.text('trusted-root');
  if (trustedRoot !== undefined && verifySignatures === 'off') {
    notices.add(
      `${flags.label('trusted-root')}: it has no effect, because ${flags.label('verify-signatures')} is off`,
    );
  }
  return { verifySignatures, trustedRoot };
}
