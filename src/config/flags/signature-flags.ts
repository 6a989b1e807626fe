import type { Flag } from './flag.ts';

/** Whether signatures of images are verified: no, with a warning, or as a condition for each image. */
export type VerificationMode = 'off' | 'warn' | 'require';

/** The flags for verifying signatures, the same in all tools. */
export const SIGNATURE_FLAGS = [
  {
    name: 'verify-signatures',
    value: 'off|warn|require',
    default: 'off',
    group: 'What is trusted',
    description:
      'Ask for the signatures of images: not at all, with a warning where none counts, or as a condition',
  },
  {
    name: 'trusted-root',
    value: 'FILE',
    defaultNote: "Sigstore's public one, as of this version",
    group: 'What is trusted',
    description: 'trusted_root.json with the authorities and logs that signatures are checked against',
  },
] as const satisfies readonly Flag[];
