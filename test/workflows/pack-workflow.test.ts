import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { parse } from 'yaml';
import { z } from 'zod';
import { parsePackSettings } from '../../src/pack/settings.ts';
import { parsePublishSettings } from '../../src/publish/settings.ts';
import { readActionMetadata } from '../support/action-metadata.ts';

const FILE = '.github/workflows/pack.yml';
const Workflow = z.object({
  on: z.object({
    workflow_dispatch: z.object({
      inputs: z.record(z.string(), z.object({ default: z.union([z.string(), z.number()]) }).loose()),
    }),
  }),
  permissions: z.record(z.string(), z.string()),
  jobs: z.object({
    pack: z.object({
      'timeout-minutes': z.number(),
      steps: z.array(
        z.object({ uses: z.string(), with: z.record(z.string(), z.unknown()).optional() }).loose(),
      ),
    }),
  }),
});

const workflow = Workflow.parse(parse(readFileSync(FILE, 'utf8')));
const defaults = Object.entries(workflow.on.workflow_dispatch.inputs).map(
  ([name, input]): [string, string] => [name, String(input.default)],
);

test('its form has the five fields with the defaults that people know', () => {
  expect(Object.fromEntries(defaults)).toEqual({
    beta: 'false',
    arch: 'amd64',
    'kube-version': '1.37.1',
    bucket: 'keel-noram',
    repo: 'dockerhub',
  });
});

test('those are settings that both parts of the action take', () => {
  const environment = { KEEL_DOCKERHUB_USERNAME: 'me', KEEL_DOCKERHUB_PASSWORD: 'secret' };
  const source = { values: new Map(defaults), environment, label: (name: string) => name };
  expect(parsePackSettings(source)).toMatchObject({
    ok: true,
    settings: { arch: 'amd64', kubeVersion: { kind: 'version', version: '1.37.1' }, beta: undefined },
  });
  expect(parsePublishSettings(source)).toMatchObject({
    ok: true,
    settings: { targets: [{ word: 'dockerhub' }] },
  });
});

test('it packs the version that the repository packs, and gives the action only inputs that exist', async () => {
  const versions: { images: { name: string; tag: string }[] } = JSON.parse(
    readFileSync('versions.json', 'utf8'),
  );
  const tag = versions.images.find(({ name }) => name === 'kube-apiserver')?.tag;
  expect(`v${Object.fromEntries(defaults)['kube-version']}`).toBe(tag);
  const { inputs } = await readActionMetadata('action-pack/action.yml');
  const step = workflow.jobs.pack.steps.find(({ uses }) => uses === './action-pack');
  expect(Object.keys(inputs)).toEqual(expect.arrayContaining(Object.keys(step?.with ?? {})));
  for (const { uses } of workflow.jobs.pack.steps) {
    if (uses !== './action-pack') expect(uses).toMatch(/^actions\/[a-z-]+@[0-9a-f]{40}$/);
  }
  expect(workflow.jobs.pack['timeout-minutes']).toBeLessThan(360);
});
