import { countImages, type Report, type ReportedImage } from '../../src/sync/report/report.ts';

/** Returns the report of a run of 42 seconds with these images, and what is `more` to it or else in it. */
export function sampleReport(images: readonly ReportedImage[], more: Partial<Report> = {}): Report {
  return {
    schemaVersion: 1,
    tool: { name: 'keel-pkg', version: 'v1.2.3' },
    started: '2026-03-01T02:00:00.000Z',
    ended: '2026-03-01T02:00:42.000Z',
    source: 'registry.k8s.io',
    destination: '127.0.0.1:5000',
    options: { naming: 'basename', platforms: [], signatures: 'skip', verify: 'sample', dryRun: false },
    shards: [],
    stateRestored: true,
    totals: countImages(images),
    unmatched: [],
    unselected: [],
    warnings: [],
    requests: [],
    images: [...images],
    ...more,
  };
}
