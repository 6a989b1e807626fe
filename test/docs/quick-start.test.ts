import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { fillRegistry } from '../support/images/fill.ts';
import { KUBERNETES_SET } from '../support/images/kubernetes-set.ts';
import { startRegistry } from '../support/registry/registry.ts';
import { SyncRoute } from '../support/sync-run.ts';

const TRY = /\.\/synctl sync --source 127\.0\.0\.1:5001 .*--image-set (\S+)/;

it('the try without a registry of your own copies all that it wants, and reaches nothing but its two', async () => {
  const [line = '', file = ''] = TRY.exec(readFileSync('README.md', 'utf8')) ?? [];
  expect(line).toContain('--push-to 127.0.0.1:5002');
  expect(readFileSync('scripts/ci-registries.sh', 'utf8')).toContain(line);
  const set = JSON.parse(readFileSync(file, 'utf8'));
  expect(set.extras).toBeUndefined();
  await using source = await startRegistry({ tls: false });
  await using destination = await startRegistry({ tls: false });
  await fillRegistry(source, KUBERNETES_SET);
  const { report } = await new SyncRoute({ source, destination, set }).run();
  expect(report.totals).toMatchObject({ failed: 0, deferred: 0 });
  expect(report.totals.copied).toBeGreaterThan(10);
  expect(report.unmatched).toEqual([]);
  expect(report.warnings).toEqual([]);
});
