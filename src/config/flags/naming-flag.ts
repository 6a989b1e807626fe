import { NAMINGS } from '../mirror-naming.ts';
import type { Flag } from './flag.ts';

/** Returns the flag for the names at a mirror, under a heading. */
export function namingFlag(group: string) {
  return {
    name: 'naming',
    value: NAMINGS.join('|'),
    default: 'basename',
    group,
    description: 'Name that coredns/coredns gets in a mirror: coredns, coredns-coredns or coredns/coredns',
  } as const satisfies Flag;
}
