import { CONFIG_PROPERTIES } from './config-properties.ts';
import { FILE_PROPERTIES } from './file-properties.ts';
import { MANIFEST_PROPERTIES } from './manifest-properties.ts';
import { PACK_PROPERTIES } from './pack-properties.ts';
import type { Property } from './property.ts';
import { REGISTRY_PROPERTIES } from './registry-properties.ts';
import { SIGNATURE_PROPERTIES } from './signature-properties.ts';
import { UPSTREAM_PROPERTIES } from './upstream-properties.ts';

/** All that holds for input from outside: `make test` tries each a little, `make fuzz` for longer. */
export const PROPERTIES: readonly Property[] = [
  ...REGISTRY_PROPERTIES,
  ...MANIFEST_PROPERTIES,
  ...CONFIG_PROPERTIES,
  ...FILE_PROPERTIES,
  ...PACK_PROPERTIES,
  ...SIGNATURE_PROPERTIES,
  ...UPSTREAM_PROPERTIES,
];
