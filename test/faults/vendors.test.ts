import { expect, it } from 'vitest';
import { type Quirks, VENDOR_QUIRKS } from '../support/registry/quirks.ts';
import type { RegistryOptions } from '../support/registry/registry.ts';
import { outcomes } from '../support/sync-run.ts';
import { all, conversions, IN_DOCKER, WANTED, WRITES, world } from './vendor-world.ts';
import { brokenTags } from './wholeness.ts';

const ROWS: readonly [name: string, quirks: Quirks, converted: Record<string, string>][] = [
  ['Aliyun ACR', VENDOR_QUIRKS.aliyun, { 'coredns:v1.14.2': 'without-attestations' }],
  ['Huawei SWR', VENDOR_QUIRKS.huawei, IN_DOCKER],
  ['Tencent TCR', VENDOR_QUIRKS.tencent, {}],
  ['Harbor', VENDOR_QUIRKS.harbor, {}],
  ['Amazon ECR', { ...VENDOR_QUIRKS.ecr, repositoriesMustExist: false }, {}],
  ['Quay', VENDOR_QUIRKS.quay, {}],
  ['GHCR', VENDOR_QUIRKS.ghcr, {}],
  ['Google Artifact Registry', VENDOR_QUIRKS.google, {}],
  ['Docker Hub', VENDOR_QUIRKS.dockerHub, {}],
  ['Artifactory', VENDOR_QUIRKS.artifactory, {}],
  ['Nexus', VENDOR_QUIRKS.nexus, {}],
  ['distribution 2.8', VENDOR_QUIRKS.distribution2, {}],
  ['a registry that mounts nothing', { refuseMount: 405 }, {}],
  ['a registry that mounts from elsewhere only', { selfMountOpensUpload: true }, {}],
  ['a registry that tells no digests', { noDigestOnHead: true }, {}],
  ['a registry that refuses its tag lists', { refuseTagsList: 403 }, {}],
  ['a registry that hides its tag lists', { refuseTagsList: 404 }, {}],
  ['a registry that says 401 for what is absent', { absentManifest: 401 }, {}],
];

const LOGIN = { username: 'robot$mirror', password: 'a password for the vendor' };

/** With tokens, and those whose manners have to do with them also without. */
const MEETINGS = ROWS.flatMap(([name, quirks, converted]) => {
  const users = { [LOGIN.username]: LOGIN.password };
  const login = { access: { mode: 'bearer', users } } as const;
  const guarded: RegistryOptions = { quirks, ...login };
  const isTold = 'deniedStatus' in quirks || 'tokenUrlLimit' in quirks || 'challengeOnPingOnly' in quirks;
  const first: [string, RegistryOptions, Record<string, string>] = [name, guarded, converted];
  const open: RegistryOptions = { quirks, access: { mode: 'none' } };
  return isTold ? [first, [`${name}, which wants no login,`, open, converted] as const] : [first];
});

it.each(MEETINGS)(
  '%s holds all after the first run and is left alone by the second',
  async (_, options, converted) => {
    await using here = await world(options);
    const { destination, route, digests } = here;
    const { report, lines } = await route.run();
    expect(outcomes(report)).toEqual(all('copied'));
    expect(brokenTags(destination.storage)).toEqual([]);
    expect(conversions(report)).toEqual(converted);
    const kinds = new Set(Object.values(converted));
    expect(lines.filter((line) => line.startsWith('warning: '))).toHaveLength(kinds.size);
    for (const { destination: name, digest, source } of report.images) {
      const short = name.replace(/^[^/]+\/keel\//, '');
      expect(digests.of(short)).toBe(digest);
      const [repository = '', tag = ''] = source.replace(/^[^/]+\//, '').split(':');
      if (!(short in converted)) expect(digest).toBe(digests.atSource(repository, tag));
      else expect(digest).not.toBe(digests.atSource(repository, tag));
    }
    destination.journal.clear();
    here.source.journal.clear();
    const again = await route.run({ verify: 'none' });
    expect(again.report.totals).toMatchObject({ copied: 0, failed: 0, skipped: WANTED.length });
    expect(conversions(again.report)).toEqual(converted);
    expect(again.lines).toEqual([]);
    expect(destination.journal.filter({ kind: WRITES })).toEqual([]);
    expect(here.source.journal.count({ kind: ['manifest-get', 'blob-get', 'storage-get'] })).toBe(0);
    // Also when each tag is asked for by name.
    const verified = await route.run({ verify: 'all' });
    expect(outcomes(verified.report)).toEqual(all('checked'));
    expect(destination.journal.filter({ kind: WRITES })).toEqual([]);
  },
);
