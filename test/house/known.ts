// Lists that only get shorter: whoever mends one deletes its name, nobody adds one.

/** Exports that nothing imports. */
export const FOR_NOBODY: readonly string[] = [
  'ActionProcess',
  'CommandFile',
  'ConnectionFailureCode',
  'DEFAULT_TIMEOUTS',
  'DatedTag',
  'DiscoveryParts',
  'Extra',
  'HostTraffic',
  'HttpRequest',
  'ImageOrder',
  'Inputs',
  'KeptState',
  'LISTING_BACKENDS',
  'ListingBackend',
  'LogSettings',
  'Memory',
  'MirroringParts',
  'PackOutputs',
  'PackStepParts',
  'PushTask',
  'Referrer',
  'ReleaseWish',
  'Situation',
  'SqliteProblem',
  'StateCacheSettings',
  'StateKeys',
  'StepParts',
  'SyncOutputs',
  'Unmatched',
  'Verification',
  'WorkParts',
  'inputFlags',
  'isSqliteNotice',
];

/** Exports that only tests import. */
export const FOR_TESTS: readonly string[] = [
  'Naming',
  'RegistriesSettings',
  'RetryOptions',
  'SignatureSettings',
  'compareVersions',
  'isInSample',
  'withoutSqliteNotice',
];
