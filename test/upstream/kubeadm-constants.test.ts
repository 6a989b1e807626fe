import { describe, expect, it } from 'vitest';
import { parseKubernetesVersion } from '../../src/config/kubernetes/kubernetes-version.ts';
import { readKubeadmConstants } from '../../src/upstream/kubeadm-constants.ts';
import { WrongAnswer } from '../../src/upstream/wrong-answer.ts';

const V1_38 = parseKubernetesVersion('1.38.0', 'a test');

/** As gofmt sets it: constants in a block, a map in another one. */
function file(lines: readonly string[], map: readonly string[] | undefined = undefined): string {
  const entries =
    map === undefined ? [] : ['var (', '\tSupportedEtcdVersion = map[uint8]string{', ...map, '\t}', ')'];
  return ['package constants', '', 'const (', ...lines, ')', '', ...entries, ''].join('\n');
}

const CONSTANTS = [
  '\t// DefaultEtcdVersion indicates the default etcd version that kubeadm uses',
  '\tDefaultEtcdVersion = "3.7.3-0"',
  '\tCoreDNSImageName = "coredns"',
  '\tCoreDNSVersion = "v1.15.0"',
  '\tPauseVersion = "3.11"',
];

describe('readKubeadmConstants', () => {
  it.each<[string, string, { etcd: string; coredns: string; pause: string }]>([
    [
      'of 1.21, in which no v stands before some',
      file(
        ['\tDefaultEtcdVersion = "3.4.13-0"', '\tCoreDNSVersion = "1.8.0"', '\tPauseVersion = "3.4.1"'],
        ['\t\t20: "3.4.13-0",', '\t\t21: "3.4.13-0",', '\t\t22: "3.4.13-0",'],
      ),
      { etcd: '3.4.13-0', coredns: '1.8.0', pause: '3.4.1' },
    ],
    ['without a map', file(CONSTANTS), { etcd: '3.7.3-0', coredns: 'v1.15.0', pause: '3.11' }],
    [
      'with an etcd of the minor, which counts before the default',
      file(CONSTANTS, ['\t\t37: "3.7.2-0",', '\t\t38: "3.7.4-0", // a comment']),
      { etcd: '3.7.4-0', coredns: 'v1.15.0', pause: '3.11' },
    ],
    [
      'with a map that ends before the minor, whose last entry counts as in kubeadm',
      file(CONSTANTS, ['\t\t36: "3.7.1-0",', '\t\t37: "3.7.2-0",']),
      { etcd: '3.7.2-0', coredns: 'v1.15.0', pause: '3.11' },
    ],
    [
      'in columns, with types, comments and ends of lines of Windows',
      file(CONSTANTS.map((line) => line.replace(' =', '    string  =').concat(' // why\r'))),
      { etcd: '3.7.3-0', coredns: 'v1.15.0', pause: '3.11' },
    ],
    [
      'with release candidates',
      file([
        '\tDefaultEtcdVersion = "3.8.0-rc.1-0"',
        '\tCoreDNSVersion = "v1.15.0-rc.1"',
        '\tPauseVersion = "3.11-rc.1"',
      ]),
      { etcd: '3.8.0-rc.1-0', coredns: 'v1.15.0-rc.1', pause: '3.11-rc.1' },
    ],
  ])('returns the tags of a file %s', (_, text, tags) => {
    expect(readKubeadmConstants(text, V1_38)).toEqual(tags);
  });

  it.each<[string, string, string]>([
    ['a page of a proxy', '<!DOCTYPE html>\n<p>DefaultEtcdVersion = "3.7.3-0"', 'it contains no etcd'],
    ['nothing', '', 'it contains no etcd'],
    [
      'another name for etcd',
      file(CONSTANTS).replace('DefaultEtcdVersion =', 'EtcdVersion ='),
      'it contains no etcd',
    ],
    [
      'no CoreDNS',
      file(CONSTANTS.filter((line) => !line.includes('CoreDNSVersion'))),
      'it contains no coredns',
    ],
    ['no pause', file(CONSTANTS.filter((line) => !line.includes('Pause'))), 'it contains no pause'],
    ['two values of one name', file([...CONSTANTS, '\tPauseVersion = "3.10"']), 'it contains no pause'],
    [
      'a value that is computed',
      file(CONSTANTS).replace('"3.11"', 'fmt.Sprintf("3.%d", 11)'),
      'it contains no pause',
    ],
    ['a word', file(CONSTANTS).replace('"3.11"', '"latest"'), 'its value for pause is not a version'],
    [
      'a path',
      file(CONSTANTS).replace('"v1.15.0"', '"../../x:v1.15.0"'),
      'its value for coredns is not a version',
    ],
    ['a value of a comment', file(CONSTANTS.map((line) => `\t// ${line.trim()}`)), 'it contains no etcd'],
    [
      'a map whose values are names',
      file(CONSTANTS, ['\t\t38: DefaultEtcdVersion,']),
      'its table of etcd versions has an unknown format',
    ],
    [
      'a map of another kind',
      `${file(CONSTANTS)}var SupportedEtcdVersion = newSupport("3.7.9-0")\n`,
      'its table of etcd versions has an unknown format',
    ],
  ])('refuses %s', (_, text, why) => {
    expect(() => readKubeadmConstants(text, V1_38)).toThrow(new WrongAnswer(why));
  });
});
