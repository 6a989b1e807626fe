import { DefaultArtifactClient } from '@actions/artifact';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { type Duration, milliseconds } from '../../src/lib/duration.ts';
import { ArtifactTarget } from '../../src/publish/artifact/artifact-target.ts';
import { ActionsService } from '../support/actions-service/service.ts';
import { Gateway } from '../support/gateway.ts';
import { PackageFixture } from './package-fixture.ts';

const NAME = 'kube-1.36.2-amd64.tar.gz';
const BETA = 'kube-1.36.2-amd64-beta.tar.gz';
const RUN = 'https://github.com/owner/repository/actions/runs/1';
const calm = new AbortController().signal;

beforeEach(() => {
  // The toolkit tells a runner everything it does, in a language that a runner of these tests would obey.
  vi.spyOn(process.stdout, 'write').mockReturnValue(true);
});

afterEach(() => {
  vi.restoreAllMocks();
  vi.unstubAllEnvs();
});

/** Starts the service and makes this process look like a job of a workflow to the toolkit. */
async function start(): Promise<ActionsService> {
  const service = await ActionsService.start();
  for (const [name, value] of Object.entries(service.environment())) vi.stubEnv(name, value);
  return service;
}

function target(overwrite = false, patience?: Duration): ArtifactTarget {
  const openStore = async () => new DefaultArtifactClient();
  return new ArtifactTarget({ openStore, runUrl: RUN, overwrite, patience });
}

async function publish(fixture: PackageFixture, overwrite = false) {
  const progress: number[] = [];
  const location = await target(overwrite).publish(fixture.file, calm, (bytes) => progress.push(bytes));
  return { location, progress };
}

describe('publishing as an artifact of the workflow run', () => {
  it('uploads the package as it is, under its own name', async () => {
    await using service = await start();
    await using fixture = await PackageFixture.write(NAME, 9_000_000);
    await target().prove(calm);
    const { location, progress } = await publish(fixture);
    const [stored, ...others] = service.artifacts;
    expect(others).toEqual([]);
    expect(stored?.name).toBe(NAME);
    expect(location).toMatchObject({
      target: 'artifact',
      outcome: 'published',
      address: `${RUN}/artifacts/${stored?.id}`,
    });
    expect(progress.at(-1)).toBe(fixture.file.size);
    const { artifact } = await new DefaultArtifactClient().getArtifact(NAME);
    expect(artifact).toMatchObject({ size: fixture.file.size, digest: fixture.file.sha256 });
  });

  it('sends nothing when the run has this content', async () => {
    await using service = await start();
    await using fixture = await PackageFixture.write(NAME, 10_000);
    await publish(fixture);
    service.journal.length = 0;
    const { location } = await publish(fixture);
    expect(location).toMatchObject({ outcome: 'present', uncompared: undefined });
    expect(service.journal).toHaveLength(1);
  });

  it('says that it compared sizes alone where the service tells no digest', async () => {
    await using service = await start();
    await using fixture = await PackageFixture.write(NAME, 10_000);
    await publish(fixture);
    for (const artifact of service.artifacts) artifact.digest = undefined;
    expect((await publish(fixture)).location).toMatchObject({
      outcome: 'present',
      uncompared: 'compared by size only, because the service reports no digest',
    });
  });

  it.each([
    { name: BETA, overwrite: false, replaced: true },
    { name: NAME, overwrite: true, replaced: true },
    { name: NAME, overwrite: false, replaced: false },
  ])('with other content under $name and overwrite $overwrite, replaces it: $replaced', async (row) => {
    await using _service = await start();
    await using first = await PackageFixture.write(row.name, 1000);
    await using second = await PackageFixture.write(row.name, 2000);
    await publish(first);
    const repeated = publish(second, row.overwrite);
    if (row.replaced) await repeated;
    else await expect(repeated).rejects.toMatchObject({ code: 'ALREADY_PUBLISHED' });
    const { artifact } = await new DefaultArtifactClient().getArtifact(row.name);
    expect(artifact.size).toBe(row.replaced ? 2000 : 1000);
  });

  it('tells that artifacts cannot be had outside of a workflow', async () => {
    vi.stubEnv('ACTIONS_RUNTIME_TOKEN', undefined);
    vi.stubEnv('ACTIONS_RESULTS_URL', undefined);
    const expected = {
      code: 'ARTIFACTS_UNAVAILABLE',
      hint: expect.stringContaining('artifacts exist in workflow runs on github.com'),
    };
    await expect(target().prove(calm)).rejects.toMatchObject(expected);
  });

  it('leaves at once when the run is aborted, even if the toolkit goes on', async () => {
    await using service = await start();
    await using fixture = await PackageFixture.write(NAME, 1000);
    service.disturb({ call: 'CreateArtifact', delay: 60_000 });
    const controller = new AbortController();
    const aborted = target().publish(fixture.file, controller.signal, () => undefined);
    setImmediate(() => controller.abort(new Error('enough')));
    await expect(aborted).rejects.toThrow('enough');
  });

  it.each(['ListArtifacts', 'CreateArtifact', 'FinalizeArtifact'])(
    'does not wait without end for the rest of an answer that was cut: %s',
    async (call) => {
      await using service = await ActionsService.start();
      await using gateway = await Gateway.open(service.origin);
      service.advertise(gateway.url);
      for (const [name, value] of Object.entries(service.environment())) vi.stubEnv(name, value);
      await using fixture = await PackageFixture.write(NAME, 1000);
      gateway.fail({
        match: { path: new RegExp(call) },
        times: Infinity,
        fault: { kind: 'reset-answer', afterBytes: 5 },
      });
      const hasty = target(false, milliseconds(500));
      await expect(hasty.publish(fixture.file, calm, () => undefined)).rejects.toMatchObject({
        code: 'ARTIFACTS_UNAVAILABLE',
        message: expect.stringMatching(/^the service sent no complete response within \d+ ms$/),
      });
    },
  );
});
