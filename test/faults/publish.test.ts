import { describe, expect, it, vi } from 'vitest';
import { describeFailure, Failure } from '../../src/lib/failure.ts';
import { Publication, type Published } from '../../src/publish/publication.ts';
import { Listener } from '../publish/listener.ts';
import { startRegistry } from '../support/registry/registry.ts';
import {
  type Cause,
  causeOf,
  faultOf,
  PACKING_CAUSES,
  PATIENT,
  type Patience,
  patienceFor,
} from './causes.ts';
import { PUBLISH_STEPS, type PublishStep } from './publish-cells.ts';
import { imageWorld, kodoWorld, type PublishWorld, releaseWorld, SECRET } from './publish-world.ts';

const calm = new AbortController().signal;

async function publish({ open, fixture }: PublishWorld, patience: Patience): Promise<Published> {
  using publication = new Publication([open(patience)], new Listener());
  return await publication.publish(fixture.file, calm);
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
  await using here = await step.open();
  await using stranger = await startRegistry();
  const times = isForEver ? Number.POSITIVE_INFINITY : 1;
  const fault = faultOf(cause, stranger.url);
  const rule = here.fail({ match: step.match, times, fault });
  const first = await publish(here, patienceFor(cause, isForEver && step.isSpare !== true));
  expect(rule.hits).toBeGreaterThan(0);
  rule.stop();
  expect(here.look()).not.toBe('broken');
  if (first.failures.length > 0) expectNamed(first, here);
  else expect(here.look()).toBe('whole');
  if (step.isSpare || (cause.passes && !isForEver)) expect(first.failures).toEqual([]);
  for (const { headers } of stranger.journal.entries) expect(headers.authorization).toBeUndefined();
  const before = here.stored();
  here.takeSent();
  const second = await publish(here, PATIENT);
  expect(second.failures).toEqual([]);
  expect(second.locations).toHaveLength(1);
  expect(here.look()).toBe('whole');
  expect(here.takeSent().filter((name) => before.has(name))).toEqual([]);
}

vi.setConfig({ testTimeout: 180_000, maxConcurrency: 30 });

describe.concurrent.each(PUBLISH_STEPS)('at $name', (step) => {
  const causes = PACKING_CAUSES.filter(({ suits }) => suits?.(step) ?? true).filter(
    ({ name }) => step.causes?.has(name) ?? true,
  );
  it.each(causes)('$name, once', ({ name }) => tryCell(step, causeOf(name, causes), false));
  it.each(causes)('$name, for ever', ({ name }) => tryCell(step, causeOf(name, causes), true));
});

it.each(['qiniu', 'release', 'dockerhub'])(
  'brings the package to all others when %s is down',
  async (down) => {
    await using kodo = await kodoWorld(1000);
    await using release = await releaseWorld();
    await using image = await imageWorld();
    const worlds = [kodo, release, image];
    const targets = worlds.map((world) => world.open(PATIENT));
    const lost = worlds[targets.findIndex(({ name }) => name === down)];
    lost?.fail({ times: Number.POSITIVE_INFINITY, fault: { kind: 'reset' } });
    using publication = new Publication(targets, new Listener());
    const first = await publication.publish(kodo.fixture.file, calm);
    expect(first.failures).toMatchObject([{ target: down, error: { code: 'UNREACHABLE' } }]);
    expect(first.locations).toMatchObject([{ outcome: 'published' }, { outcome: 'published' }]);
  },
);
