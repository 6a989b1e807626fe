import { DefaultArtifactClient } from '@actions/artifact';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { describeFailure, Failure } from '../../src/lib/failure.ts';
import { ArtifactTarget } from '../../src/publish/artifact/artifact-target.ts';
import { Publication } from '../../src/publish/publication.ts';
import { Listener } from '../publish/listener.ts';
import { PackageFixture } from '../publish/package-fixture.ts';
import { ActionsService } from '../support/actions-service/service.ts';
import { Gateway } from '../support/gateway.ts';
import type { Fault } from '../support/registry/faults.ts';
import { type JournalEntry, matches, type RequestMatch } from '../support/registry/journal.ts';
import { type Cause, causeOf, faultOf, PACKING_CAUSES, type Traits } from './causes.ts';

const NAME = 'kube-1.36.2-amd64.tar.gz';
const answers = { answers: true, sends: true, follows: false };
const STEPS: readonly (Traits & { readonly name: string; readonly match: RequestMatch })[] = [
  { name: 'search', match: { path: /ListArtifacts/ }, ...answers },
  { name: 'reservation', match: { path: /CreateArtifact/ }, ...answers },
  {
    name: 'upload',
    match: { path: /^\/account\//, when: ({ method }) => method === 'PUT' },
    ...answers,
    answers: false,
  },
  { name: 'commit', match: { path: /FinalizeArtifact/ }, ...answers },
];
/** What the toolkit waits between its attempts is this much shorter here. */
const HASTE = 300;
const UNTIL_STOP = 200;
const HUGE: Fault = { kind: 'huge-json', bytes: 2_000_000 };

/** Whether the toolkit would wait for minutes or, for the rest of a broken answer, for ever. */
function hangs({ waits, fault }: Cause): boolean {
  return waits === true || fault.kind === 'reset-answer' || fault.kind === 'truncate';
}

vi.setConfig({ testTimeout: 180_000 });

describe('an artifact', () => {
  const wait = setTimeout;

  beforeAll(() => {
    vi.stubGlobal('setTimeout', (work: () => void, delay = 0) => wait(work, delay / HASTE));
    vi.spyOn(process.stdout, 'write').mockReturnValue(true);
  });
  afterAll(() => {
    vi.restoreAllMocks();
    vi.unstubAllGlobals();
    vi.unstubAllEnvs();
  });

  async function publish({ file }: PackageFixture, signal: AbortSignal) {
    const settings = {
      openStore: async () => new DefaultArtifactClient(),
      runUrl: 'https://github.com/o/r/1',
    };
    const target = new ArtifactTarget({ ...settings, overwrite: false });
    using publication = new Publication([target], new Listener());
    return await publication.publish(file, signal);
  }

  async function tryCell(match: RequestMatch, cause: Cause): Promise<void> {
    await using service = await ActionsService.start();
    await using gateway = await Gateway.open(service.origin);
    await using fixture = await PackageFixture.write(NAME, 2000);
    service.advertise(gateway.url);
    for (const [name, value] of Object.entries(service.environment())) vi.stubEnv(name, value);
    const stop = new AbortController();
    const when = (entry: JournalEntry): boolean => {
      const isHit = matches(match, entry);
      if (isHit && hangs(cause)) wait(() => stop.abort(new Error('stopped')), UNTIL_STOP);
      return isHit;
    };
    const fault = cause.fault.kind === 'huge-json' ? HUGE : faultOf(cause, 'http://127.0.0.1:9');
    const rule = gateway.fail({ match: { when }, times: Number.POSITIVE_INFINITY, fault });
    const { failures } = await publish(fixture, stop.signal);
    rule.stop();
    expect(rule.hits).toBeGreaterThan(0);
    for (const { error } of failures) {
      if (stop.signal.aborted) continue;
      expect(error).toBeInstanceOf(Failure);
      expect(describeFailure(error)).toMatch(/^(workflow artifacts|kube-1\.36\.2)\S*: \S+ \S+/);
    }
    // A name stays reserved for one attempt of a run; whoever runs it again has a new one.
    for (const [name, value] of Object.entries(service.environment({ run: 'run-2' })))
      vi.stubEnv(name, value);
    const second = await publish(fixture, new AbortController().signal);
    expect(second.failures).toEqual([]);
    const stored = service.artifacts.filter(({ size }) => size !== undefined);
    expect(stored.map(({ run }) => run)).toContain('run-2');
    for (const { name, blob } of stored) expect([name, blob.bytes]).toEqual([NAME, fixture.content]);
  }

  const cells = STEPS.flatMap((step) =>
    PACKING_CAUSES.filter(({ suits }) => suits?.(step) ?? true).map(({ name }) => ({
      step: step.name,
      name,
    })),
  );

  it.each(cells)('is there after all when its $step met: $name', async ({ step, name }) => {
    const found = STEPS.find((candidate) => candidate.name === step);
    if (found !== undefined) await tryCell(found.match, causeOf(name, PACKING_CAUSES));
  });
});
