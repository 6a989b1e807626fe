import type { Flag } from '../../config/flags/flag.ts';
import { ARCHITECTURES } from '../../config/kubernetes/architecture.ts';

const INSTALLATION = 'Installation';

const TABLE = [
  {
    name: 'kubernetes',
    value: 'VERSION',
    group: INSTALLATION,
    commandLineOnly: true,
    description:
      'Check all images that kubeadm of this version needs, instead of one image: 1.37.1, 1.37 (its newest release), latest, latest-1',
  },
  {
    name: 'arch',
    value: ARCHITECTURES.join('|'),
    default: 'amd64',
    group: INSTALLATION,
    commandLineOnly: true,
    description: 'Architecture of the machines',
  },
] as const satisfies readonly Flag[];

export type CheckFlagName = (typeof TABLE)[number]['name'];

/** The flags of `synctl check` that `synctl sync` does not have. */
export const CHECK_FLAGS: readonly Flag<CheckFlagName>[] = TABLE;
