import { describe, expect, it, vi } from 'vitest';
import { describeFailure, Failure } from '../../src/lib/failure.ts';
import { type Published, publishToAll } from '../../src/publish/publishing.ts';
import { Listener } from '../publish/listener.ts';
import { rateLimited } from '../support/registry/faults.ts';
import { startRegistry } from '../support/registry/registry.ts';
import { CAUSES, type Cause, causeOf, patienceFor } from './causes.ts';
import { PUBLISH_STEPS, type PublishStep } from './publish-cells.ts';
import { imageWorld, kodoWorld, type PublishWorld, releaseWorld, SECRET } from './publish-world.ts';

const calm = new AbortController().signal;
const ELSEWHERE = 'redirect to another host';

async function publish({ open, fixture }: PublishWorld): Promise<Published> {
  return publishToAll([open()], fixture.file, calm, new Listener());
}

/** What could not be published is told with the place and a reason that a person can read. */
function expectNamed({ failures, locations }: Published, { place }: PublishWorld): void {
  expect(locations).toEqual([]);
  for (const { error } of failures) {
    expect(error).toBeInstanceOf(Failure);
    const text = describeFailure(error);
    expect(text).toMatch(place);
    expect(text).toMatch(/^[^\n]+: \S+ \S+/);
    expect(text).not.toContain(SECRET);
  }
}

async function tryCell(step: PublishStep, cause: Cause, isForEver: boolean): Promise<void> {
  await using here = await step.open(patienceFor(cause));
  await using stranger = await startRegistry();
  const times = isForEver ? Number.POSITIVE_INFINITY : 1;
  const elsewhere = {
    kind: 'redirect',
    location: ({ pathname }: URL) => `${stranger.url}${pathname}`,
  } as const;
  const fault = cause.name === ELSEWHERE ? elsewhere : cause.fault;
  const rule = here.fail({ match: step.match, times, fault });
  const first = await publish(here);
  expect(rule.hits).toBeGreaterThan(0);
  rule.stop();
  expect(here.look()).not.toBe('broken');
  if (first.failures.length > 0) expectNamed(first, here);
  else expect(here.look()).toBe('whole');
  if (step.isSpare || (cause.passes && !isForEver)) expect(first.failures).toEqual([]);
  for (const { headers } of stranger.journal.entries) expect(headers.authorization).toBeUndefined();
  const before = here.stored();
  here.takeSent();
  const second = await publish(here);
  expect(second.failures).toEqual([]);
  expect(second.locations).toHaveLength(1);
  expect(here.look()).toBe('whole');
  expect(here.takeSent().filter((name) => before.has(name))).toEqual([]);
}

const CAUSES_HERE: readonly Cause[] = [
  ...CAUSES,
  { name: ELSEWHERE, fault: { kind: 'redirect', location: '' }, passes: false },
  { name: '429 until in an hour', fault: rateLimited(3600), passes: false },
];

vi.setConfig({ testTimeout: 180_000, maxConcurrency: 30 });

describe.concurrent.each(PUBLISH_STEPS)('at $name', (step) => {
  const causes = CAUSES_HERE.filter(({ suits }) => suits?.(step) ?? true).filter(
    ({ name }) => step.causes?.has(name) ?? true,
  );
  it.each(causes)('$name, once', ({ name }) => tryCell(step, causeOf(name, causes), false));
  it.each(causes)('$name, for ever', ({ name }) => tryCell(step, causeOf(name, causes), true));
});

it.each(['qiniu', 'release', 'dockerhub'])(
  'brings the package to all others when %s is down',
  async (down) => {
    const patience = patienceFor(causeOf('500'));
    await using kodo = await kodoWorld(patience, false);
    await using release = await releaseWorld(patience);
    await using image = await imageWorld(patience);
    const worlds = [kodo, release, image];
    const targets = worlds.map((world) => world.open());
    const lost = worlds[targets.findIndex(({ name }) => name === down)];
    lost?.fail({ times: Number.POSITIVE_INFINITY, fault: { kind: 'reset' } });
    const first = await publishToAll(targets, kodo.fixture.file, calm, new Listener());
    expect(first.failures).toMatchObject([{ target: down, error: { code: 'UNREACHABLE' } }]);
    expect(first.locations).toMatchObject([{ outcome: 'published' }, { outcome: 'published' }]);
  },
);
