import { readdirSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { parseKubernetesVersion } from '../../src/config/kubernetes/kubernetes-version.ts';
import { scratchFolder } from '../support/scratch-folder.ts';
import { NEWER_PATCH, NEWEST, NEWEST_MINOR, NEXT, PATCH_RELEASE } from '../support/upstream/releases.ts';
import { UpstreamService } from '../support/upstream/upstream-service.ts';
import { upstreamFor } from '../upstream/asking.ts';
import { type Cause, faultOf, PACKING_CAUSES, patienceFor, type Traits } from './causes.ts';

const RELEASE = parseKubernetesVersion(NEWER_PATCH, 'a test');
const RIGHT: Readonly<Record<string, string>> = {
  newest: NEXT,
  etcd: PATCH_RELEASE.etcd,
  containerd: NEWEST.containerd,
  runc: NEWEST.runc,
  crictl: `1.${NEWEST_MINOR}.1`,
  'cni-plugins': NEWEST.cniPlugins,
};

/** One kind of question to the makers. */
interface MakerStep extends Traits {
  readonly name: string;
  readonly path: RegExp;
  /** What only this source tells, so that it is unknown without it. */
  readonly costs?: readonly string[];
  /** What is the newest as far as is known then. */
  readonly instead?: string;
  /** Whether kubeadm's constants cannot be had, so that kubeadm itself is asked. */
  readonly asksProgram?: true;
}

const read = { answers: true, sends: false, follows: true };
const head = { answers: false, sends: false, follows: true };

const STEPS: readonly MakerStep[] = [
  { name: 'the newest release', path: /\/stable\.txt$/, ...read },
  { name: "kubeadm's constants", path: /\/constants\.go$/, ...read },
  { name: "kubeadm's checksum", path: /\/kubeadm\.sha256$/, ...read, asksProgram: true, costs: ['etcd'] },
  { name: 'kubeadm', path: /\/kubeadm$/, ...read, asksProgram: true, costs: ['etcd'] },
  { name: "containerd's releases", path: /\/RELEASES\.md$/, ...read, costs: ['containerd', 'runc'] },
  { name: 'the newest containerd', path: /\/containerd\/releases\/latest$/, ...head },
  { name: 'the runc of containerd', path: /\/runc-version$/, ...read, costs: ['runc'] },
  { name: 'the newest crictl', path: /\/cri-tools\/releases\/latest$/, ...head },
  {
    name: 'a patch of crictl',
    path: /\/crictl-v1\.\d+\.1-.*\.sha256$/,
    ...read,
    costs: ['crictl'],
    instead: `1.${NEWEST_MINOR}.0`,
  },
  { name: 'the newest CNI plugins', path: /\/plugins\/releases\/latest$/, ...head, costs: ['cni-plugins'] },
];

/** Returns all that the makers tell, and who was asked in vain. */
async function askAll(service: UpstreamService, folder: string, cause: Cause) {
  const { signal } = new AbortController();
  const place = { platform: 'linux', machine: 'x64', folder };
  const upstream = upstreamFor(service, { place }, patienceFor(cause, true).timeouts);
  const [newest, tags, components] = await Promise.all([
    upstream.newestRelease(undefined, signal),
    upstream.kubeadmTags(RELEASE, signal),
    upstream.components(RELEASE, signal),
  ]);
  const told = new Map<string, string | undefined>([
    ['newest', newest.found],
    ['etcd', tags.found?.tags.etcd],
    ...(components.found ?? []).map(({ name, tag }) => [name, tag] as const),
  ]);
  return {
    told,
    troubles: [...newest.troubles, ...tags.troubles, ...[...components.troubles.values()].flat()],
  };
}

/** Whatever comes in place of an answer, what is told is right or unknown, and it is said who was asked in vain. */
async function tryCell(step: MakerStep, cause: Cause, times: number): Promise<void> {
  await using service = await UpstreamService.start(undefined, { hasGateway: true });
  const folder = scratchFolder();
  if (step.asksProgram) service.remove(CONSTANTS);
  service.gateway.fail({
    match: { path: step.path },
    times,
    fault: faultOf(cause, 'https://elsewhere.test'),
  });
  const { told, troubles } = await askAll(service, folder, cause);
  const costs = new Set<string>(step.costs ?? []);
  for (const [name, right] of Object.entries(RIGHT)) {
    const answer = told.get(name);
    if (costs.has(name)) expect([right, step.instead, undefined]).toContain(answer);
    else expect([name, answer]).toEqual([name, right]);
  }
  // What came whole in spite of the fault is right. That a file is missing may be true.
  const isRight = Object.entries(RIGHT).every(([name, right]) => told.get(name) === right);
  if (!isRight && cause.name !== '404') expect(troubles).not.toEqual([]);
  for (const trouble of troubles) expect(trouble).toMatch(/^[^\n]+: [^\n]+[^.\n]$/);
  expect(readdirSync(folder)).toEqual([]);
}

const CONSTANTS = `raw.githubusercontent.com/kubernetes/kubernetes/v${NEWER_PATCH}/cmd/kubeadm/app/constants/constants.go`;

describe.each(STEPS)('$name', (step) => {
  const causes = PACKING_CAUSES.filter(({ suits }) => suits?.(step) !== false);
  const passing = causes.filter(({ passes, waits }) => passes && waits !== true);
  it.each(passing)('once: $name', (cause) => tryCell(step, cause, 1));
  it.each(causes)('at each attempt: $name', (cause) => tryCell(step, cause, Number.POSITIVE_INFINITY));
});
