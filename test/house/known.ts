// Lists that only get shorter: whoever mends one deletes its name, nobody adds one.

/** Exports that nothing imports. */
export const FOR_NOBODY: readonly string[] = [
  'DatedTag',
  'DiscoveryParts',
  'Extra',
  'ImageOrder',
  'LISTING_BACKENDS',
  'ListingBackend',
  'MirroringParts',
  'PushTask',
  'ReleaseWish',
  'Situation',
  'Unmatched',
  'Verification',
  'WorkParts',
];

/** Exports that only tests import. */
export const FOR_TESTS: readonly string[] = ['Naming', 'SignatureSettings', 'compareVersions', 'isInSample'];
