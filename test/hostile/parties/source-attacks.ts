import { ADDRESS_ATTACKS } from './address-attacks.ts';
import { CONTENT_ATTACKS, SHAPE_ATTACKS } from './content-attacks.ts';
import { SIGNATURE_ATTACKS } from './signature-attacks.ts';
import type { SourceAttack } from './source-attack.ts';

/** What a source of images tries that is trusted with nothing but answering, where a signature is required. */
export const SOURCE_ATTACKS: readonly SourceAttack[] = [
  ...CONTENT_ATTACKS,
  ...SHAPE_ATTACKS,
  ...ADDRESS_ATTACKS,
  ...SIGNATURE_ATTACKS,
];
