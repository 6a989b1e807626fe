import { globSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { parse } from 'yaml';
import { z } from 'zod';
import { bundledAction } from '../support/action-bundle.ts';
import { Job, LONG_PATIENCE } from '../support/action-runner.ts';
import { snippetsOf } from '../support/markdown-page.ts';
import { type PublicRegistries, startPublicRegistries } from '../support/public-registries.ts';
import { scratchFolder } from '../support/scratch-folder.ts';
import { PUBLIC_REGISTRIES_AUTHORITY_FILE } from '../support/test-authority.ts';
import { fillIn } from '../support/workflow.ts';

const Step = z.object({
  uses: z.string().optional(),
  with: z.record(z.string(), z.union([z.string(), z.number(), z.boolean()])).optional(),
});
type Step = z.infer<typeof Step>;

/** Returns the steps with action-sync in a workflow, a job, or a list of steps. */
function stepsIn(shown: unknown): Step[] {
  if (Array.isArray(shown)) return shown.flatMap(stepsIn);
  const step = Step.safeParse(shown);
  if (step.success && step.data.uses === 'shipengqi/keel-pkg/action-sync@v1') return [step.data];
  return typeof shown === 'object' && shown !== null ? Object.values(shown).flatMap(stepsIn) : [];
}

const PAGES = globSync('{README.md,docs/*.md,action-sync/README.md}');
const SHOWN = PAGES.flatMap((page) =>
  snippetsOf(page)
    .filter(({ language }) => language === 'yaml')
    .flatMap(({ line, text }) => stepsIn(parse(text)).map((step) => [`${page}:${line}`, step] as const)),
)
  // Images here have no signature that Sigstore would accept.
  .filter(([, step]) => step.with?.['verify-signatures'] !== 'require');

const ROBOT = { username: 'robot', password: 'a-good-password' };
/** What the contexts of a workflow hold in the repository of the test. */
const CONTEXT = {
  'vars.REGISTRY_USERNAME': ROBOT.username,
  'secrets.REGISTRY_PASSWORD': ROBOT.password,
  'vars.SWR_USERNAME': ROBOT.username,
  'secrets.SWR_LOGIN_KEY': ROBOT.password,
  'vars.TCR_USERNAME': ROBOT.username,
  'secrets.TCR_PASSWORD': ROBOT.password,
  'secrets.HARBOR_PASSWORD': ROBOT.password,
  'vars.DOCKERHUB_USERNAME': ROBOT.username,
  'secrets.DOCKERHUB_TOKEN': ROBOT.password,
  'secrets.REGISTRY_LOGINS': `docker.io ${ROBOT.username} ${ROBOT.password}\nregistry.example.com ${ROBOT.username} ${ROBOT.password}`,
  'github.repository_owner': 'octocat',
  'github.actor': ROBOT.username,
  'github.token': ROBOT.password,
  'matrix.shard': '1',
  'strategy.job-total': '4',
};

/** The compose file of a repository that a page names. */
const COMPOSE = 'services:\n  cache:\n    image: redis:7.4.2\n';

let registries: PublicRegistries;

beforeAll(async () => {
  bundledAction('action-sync');
  const robots = [ROBOT, { ...ROBOT, username: 'robot$mirror' }];
  registries = await startPublicRegistries({ hub: robots, destination: robots });
});

afterAll(() => registries[Symbol.asyncDispose]());

test('pages show many steps of action-sync', () => {
  expect(SHOWN.length).toBeGreaterThan(10);
});

test.each(SHOWN)('%s shows a step that mirrors images', async (_place, step) => {
  const inputs = Object.fromEntries(
    Object.entries(step.with ?? {}).map(([name, value]) => [name, fillIn(value, CONTEXT)]),
  );
  const folder = scratchFolder();
  const job = await Job.start({
    folder,
    secrets: [ROBOT.password],
    patience: LONG_PATIENCE,
    env: { HTTPS_PROXY: registries.proxy.url, NODE_EXTRA_CA_CERTS: PUBLIC_REGISTRIES_AUTHORITY_FILE },
  });
  // A mirror of ours as the source has the image where another recipe pushed it.
  const names =
    inputs['source'] === 'registry.example.com'
      ? ['mirror/nginx']
      : ['pause', 'etcd', 'coredns/coredns', 'dns/k8s-dns-node-cache', 'metrics-server/metrics-server'];
  await writeFile(path.join(job.workspace, 'image_set.json'), JSON.stringify({ names }));
  await mkdir(path.join(job.workspace, 'deploy'));
  await writeFile(path.join(job.workspace, 'deploy/compose.yaml'), COMPOSE);
  const here = {
    ...(inputs['ca-file'] === undefined ? {} : { 'ca-file': PUBLIC_REGISTRIES_AUTHORITY_FILE }),
    ...(inputs['db'] === undefined ? {} : { db: path.join(folder, 'sync.db') }),
  };
  const result = await job.step({ action: bundledAction('action-sync'), with: { ...inputs, ...here } });
  expect({ code: result.exitCode, log: result.exitCode === 0 ? '' : result.log.text }).toEqual({
    code: 0,
    log: '',
  });
  const { total, failed, copied = '', skipped = '' } = result.outputs;
  expect(Number(total)).toBeGreaterThan(0);
  expect(failed).toBe('0');
  expect(Number(copied) + Number(skipped)).toBe(Number(total));
  expect(result.leaks).toEqual([]);
});
