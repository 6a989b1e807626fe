// Lists that only get shorter: whoever mends one deletes its name, nobody adds one.

/** Exports that nothing imports. */
export const FOR_NOBODY: readonly string[] = [
  'ActionProcess',
  'CommandFile',
  'DatedTag',
  'DiscoveryParts',
  'Extra',
  'ImageOrder',
  'Inputs',
  'KeptState',
  'LISTING_BACKENDS',
  'ListingBackend',
  'LogSettings',
  'MirroringParts',
  'PackOutputs',
  'PackStepParts',
  'PushTask',
  'ReleaseWish',
  'Situation',
  'StateCacheSettings',
  'StateKeys',
  'StepParts',
  'SyncOutputs',
  'Unmatched',
  'Verification',
  'WorkParts',
  'inputFlags',
];

/** Exports that only tests import. */
export const FOR_TESTS: readonly string[] = ['Naming', 'SignatureSettings', 'compareVersions', 'isInSample'];
