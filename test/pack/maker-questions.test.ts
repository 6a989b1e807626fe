import { expect, it } from 'vitest';
import { parseKubernetesVersion } from '../../src/config/kubernetes/kubernetes-version.ts';
import { failureCode } from '../../src/lib/failure.ts';
import { askMakers, toldLines } from '../../src/pack/run/maker-questions.ts';
import { parseTag } from '../../src/registry/oci/reference.ts';
import type { Makers } from '../../src/upstream/makers.ts';

const signal = new AbortController().signal;
const VERSION = parseKubernetesVersion('1.38.0', 'test');
const TAGS = { etcd: parseTag('3.8.0-0'), coredns: parseTag('v1.15.0'), pause: parseTag('3.11') };

/** Answers nothing before both questions are there, as they may be asked at the same time. */
function makersOf(asked: string[], together: boolean): Makers {
  let count = together ? 2 : 1;
  let open = (): void => undefined;
  const all = new Promise<void>((resolve) => {
    open = resolve;
  });
  const arrive = async (question: string): Promise<void> => {
    asked.push(question);
    count -= 1;
    if (count === 0) open();
    await all;
  };
  return {
    newestRelease: async () => ({ found: undefined, troubles: [] }),
    kubeadmTags: async (version) => {
      await arrive('kubeadm');
      return {
        found: { version, tags: TAGS, origin: 'kubeadm 1.38.0' },
        troubles: ['raw.githubusercontent.com: answered with status 502'],
      };
    },
    components: async () => {
      await arrive('components');
      return {
        found: [
          { name: 'containerd', tag: parseTag('2.4.1'), origin: "containerd's RELEASES.md" },
          { name: 'runc', tag: parseTag('1.5.2'), origin: 'containerd 2.4.1' },
        ],
        troubles: new Map([
          ['runc', ['raw.githubusercontent.com: no connection within 5 s']],
          ['crictl', ['crictl: github.com: answered with status 502']],
          ['cni-plugins', ['releases/latest of plugins: github.com: answered with status 502']],
        ]),
      };
    },
  };
}

it('asks all at the same time, and keeps of the answers what is wanted', async () => {
  const asked: string[] = [];
  const questions = { kubeadm: true, components: ['runc', 'crictl'] };
  const told = await askMakers(questions, VERSION, { makers: makersOf(asked, true), signal });
  expect(asked).toEqual(['kubeadm', 'components']);
  expect([...told.matching]).toEqual([['runc', { tag: '1.5.2', origin: 'containerd 2.4.1' }]]);
  expect(toldLines(told)).toEqual([
    'kubeadm 1.38.0 uses etcd 3.8.0-0, coredns v1.15.0 and pause 3.11 (kubeadm 1.38.0)',
    '  raw.githubusercontent.com: answered with status 502',
    'Kubernetes 1.38.0 is packed with runc 1.5.2 (containerd 2.4.1)',
    '  raw.githubusercontent.com: no connection within 5 s',
  ]);
  // What is wanted and was not told is for the warning about what is taken instead.
  expect([...(told.troubles?.components.keys() ?? [])]).toEqual(['runc', 'crictl']);
});

it.each([
  ['kubeadm', { kubeadm: true, components: [] }],
  ['components', { kubeadm: false, components: ['runc'] }],
])('asks for %s alone where nothing else is open', async (question, questions) => {
  const asked: string[] = [];
  await askMakers(questions, VERSION, { makers: makersOf(asked, false), signal });
  expect(asked).toEqual([question]);
});

it.each([
  ['all answered, and have no such release', true, 'KUBERNETES_UNRELEASED'],
  ['somebody was not reached', undefined, undefined],
] as const)('a version that nobody told ends the run where %s', async (_, isAbsent, code) => {
  const makers = {
    ...makersOf([], false),
    kubeadmTags: async () => ({ found: undefined, troubles: ['x'], isAbsent }),
  };
  const asked = askMakers({ kubeadm: true, components: [] }, VERSION, { makers, signal });
  const ended = await asked.then(
    () => undefined,
    (error: unknown) => failureCode(error),
  );
  expect(ended).toBe(code);
});
