import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { z } from 'zod';
import { readImageSet, readVersions } from '../../src/config/configuration-file.ts';
import { readActionMetadata } from '../support/action-metadata.ts';
import { scratchFolder } from '../support/scratch-folder.ts';
import { lintWorkflow } from '../support/workflow-lint.ts';

const calm = new AbortController().signal;

const FOLDER = '.github/workflows';
const FILES = readdirSync(FOLDER).map((name) => join(FOLDER, name));

const Permissions = z.record(z.string(), z.enum(['read', 'write']));
const Scalars = z.record(z.string(), z.union([z.string(), z.number(), z.boolean()]));
const Workflow = z.object({
  permissions: Permissions,
  concurrency: z.object({ group: z.string(), 'cancel-in-progress': z.union([z.boolean(), z.string()]) }),
  jobs: z.record(
    z.string(),
    z.object({
      uses: z.string().optional(),
      needs: z.union([z.string(), z.array(z.string())]).optional(),
      permissions: Permissions.optional(),
      'timeout-minutes': z.number().optional(),
      steps: z.array(z.object({ uses: z.string().optional(), with: Scalars.optional() }).loose()).default([]),
    }),
  ),
});

function read(file: string): z.infer<typeof Workflow> {
  return Workflow.parse(parse(readFileSync(file, 'utf8')));
}

describe.each(FILES)('%s', (file) => {
  const text = readFileSync(file, 'utf8');
  const { permissions, jobs } = read(file);
  const steps = Object.values(jobs).flatMap((job) => job.steps);

  test('passes actionlint', async () => {
    expect(await lintWorkflow(text, file)).toEqual([]);
  });

  test('gives a reason for every permission, and hands none to jobs that do not ask', () => {
    const granted = text.split('\n').filter((line) => /^ +[a-z-]+: (?:read|write)\b/.test(line));
    for (const line of granted) expect(line).toMatch(/: (?:read|write) # .{10,}/);
    const isEmpty = Object.keys(permissions).length === 0;
    const asks = Object.values(jobs).every((job) => job.permissions !== undefined);
    expect(isEmpty ? asks : true).toBe(true);
  });

  test('ends every job in time', () => {
    for (const [name, job] of Object.entries(jobs)) {
      if (job.uses === undefined) expect(job['timeout-minutes'], name).toBeLessThan(360);
    }
  });

  test('pins what is not ours to a commit and tells its version', () => {
    for (const line of text.split('\n').filter((each) => /\buses: (?!\.\/)/.test(each))) {
      expect(line).toMatch(/uses: [\w-]+\/[\w-]+(?:\/[\w-]+)?@[0-9a-f]{40} # v\d+\.\d+\.\d+$/);
    }
  });

  test('gives our actions only inputs that they have', async () => {
    for (const { uses, with: given = {} } of steps) {
      if (uses === undefined || !/^\.\/action-/.test(uses)) continue;
      const { inputs } = await readActionMetadata(`${uses}/action.yml`);
      expect(Object.keys(inputs)).toEqual(expect.arrayContaining(Object.keys(given)));
    }
  });

  test('never leaves the token of the job in the checkout', () => {
    for (const { uses = '', with: given = {} } of steps) {
      if (uses.startsWith('actions/checkout@')) expect(given['persist-credentials']).toBe(false);
    }
  });
});

test('one version of an action is used throughout', () => {
  const pins = FILES.flatMap((file) => [
    ...readFileSync(file, 'utf8').matchAll(/uses: ([\w-]+\/[\w-]+)\S*@([0-9a-f]{40})/g),
  ]);
  const byAction = Map.groupBy(pins, ([, action = '']) => action);
  for (const [action, uses] of byAction)
    expect(new Set(uses.map(([, , commit]) => commit)).size, action).toBe(1);
});

test('ci-ok waits for every other job', () => {
  const { jobs } = read(join(FOLDER, 'ci.yml'));
  const others = Object.keys(jobs).filter((name) => name !== 'ci-ok');
  expect([jobs['ci-ok']?.needs].flat()).toEqual(others);
});

test('what ci.yml mirrors and packs is in order', async () => {
  expect((await readImageSet('.github/ci/image_set.json', calm)).notices).toEqual([]);
  expect((await readVersions('.github/ci/versions.json', calm)).images).toHaveLength(2);
});

test('dependabot holds back only what is here', () => {
  const Ecosystems = z.object({
    updates: z.array(
      z.object({
        'package-ecosystem': z.string(),
        ignore: z.array(z.object({ 'dependency-name': z.string() })).default([]),
      }),
    ),
  });
  const Manifest = z.object({
    dependencies: z.record(z.string(), z.string()),
    devDependencies: z.record(z.string(), z.string()),
    optionalDependencies: z.record(z.string(), z.string()),
  });
  const { updates } = Ecosystems.parse(parse(readFileSync('.github/dependabot.yml', 'utf8')));
  const parts = Manifest.parse(JSON.parse(readFileSync('package.json', 'utf8')));
  const known = Object.values(parts).flatMap((part) => Object.keys(part));
  const ignored = updates.flatMap(({ ignore }) => ignore.map((each) => each['dependency-name']));
  expect(known).toEqual(expect.arrayContaining(ignored));
  expect(updates.map((update) => update['package-ecosystem'])).toEqual(['npm', 'github-actions']);
});

describe('the notes of a release', () => {
  const notes = (version: string, changelog: string) => {
    const folder = scratchFolder();
    writeFileSync(join(folder, 'CHANGELOG.md'), changelog);
    const script = readFileSync('scripts/release-notes.sh', 'utf8').replace('$(dirname "$0")/..', folder);
    return execFileSync('sh', ['-c', script, 'release-notes.sh', version], {
      encoding: 'utf8',
      stdio: 'pipe',
    });
  };
  const CHANGELOG =
    '# Changelog\n\n## 1.10.0\n\n- ten\n\n## 1.1.0 (2026-11-23)\n\n- one\n- two\n\n## 1.0.0\n\n';

  test.each([
    ['1.10.0', '\n- ten\n'],
    ['1.1.0', '\n- one\n- two\n'],
  ])('of %s are its section', (version, text) => {
    expect(notes(version, CHANGELOG)).toBe(text);
  });

  test.each(['1.0.0', '1.1', '2.0.0'])('of %s do not exist, so there is no release', (version) => {
    expect(() => notes(version, CHANGELOG)).toThrow(`CHANGELOG.md has no section "## ${version}"`);
  });

  test('of the version in package.json exist', () => {
    const { version } = z
      .object({ version: z.string() })
      .parse(JSON.parse(readFileSync('package.json', 'utf8')));
    expect(execFileSync('sh', ['scripts/release-notes.sh', version], { encoding: 'utf8' })).toContain('- ');
  });
});
