import { expect, test } from 'vitest';
import { seedImage } from '../support/registry/seed.ts';
import { MAKERS_AUTHORITIES_FILE } from '../support/test-authority.ts';
import { NEXT, NEXT_MINOR, NEXT_RELEASE } from '../support/upstream/releases.ts';
import { UpstreamService } from '../support/upstream/upstream-service.ts';
import { Nights } from './nights.ts';

test('a new Kubernetes is an output and a row of the page, and the cache keeps what its makers said', async () => {
  await using makers = await UpstreamService.start();
  const nights = await Nights.start();
  const { storage } = nights.source;
  for (const name of ['kube-apiserver', 'kube-controller-manager', 'kube-scheduler', 'kube-proxy']) {
    seedImage(storage, name, { seed: name, tags: [`v${NEXT}`] });
  }
  for (const [name, tag] of [
    ['etcd', NEXT_RELEASE.etcd],
    ['coredns/coredns', NEXT_RELEASE.coredns],
    ['pause', NEXT_RELEASE.pause],
  ] as const) {
    seedImage(storage, name, { tags: [tag] });
  }
  const night = () =>
    nights.night({
      imageSet: `{ "kubernetes": ["latest", "1.${NEXT_MINOR}", "latest-9"] }`,
      with: { 'upstream-mirror': makers.mirror },
      env: { NODE_EXTRA_CA_CERTS: MAKERS_AUTHORITIES_FILE },
    });
  const { main } = await night();
  expect(main.exitCode).toBe(0);
  expect(main.outputs).toMatchObject({ copied: '7', kubernetes: `["${NEXT}"]` });
  expect(main.log.text).toContain(`Kubernetes latest: ${NEXT} (tags from kubernetes v${NEXT})`);
  expect(main.log.annotations.map(({ message }) => message)).toEqual([
    expect.stringContaining('"latest-9" matches nothing at the source'),
  ]);
  expect(main.summary).toContain(
    [
      `| <code>latest</code> | ${NEXT} | kubernetes v${NEXT} |`,
      `| <code>1.${NEXT_MINOR}</code> | ${NEXT} | kubernetes v${NEXT} |`,
      '| <code>latest-9</code> | none at the source |  |',
    ].join('\n'),
  );
  expect(makers.requests).toHaveLength(1);

  const next = await night();
  expect(next.main.outputs).toMatchObject({
    copied: '0',
    kubernetes: `["${NEXT}"]`,
    'state-restored': 'true',
  });
  expect(makers.requests).toHaveLength(1);
});
