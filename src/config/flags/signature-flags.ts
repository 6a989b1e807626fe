import type { Flag } from './flag.ts';

/** What is done about the signatures of images: nothing, a warning, or no image without one that counts. */
export type VerificationMode = 'off' | 'warn' | 'require';

/** How it is made sure whose images they are, alike in every tool. */
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
