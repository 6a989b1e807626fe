import { expect, it } from 'vitest';
import { readManifest } from '../../src/pack/manifest/addon-manifest.ts';
import { CALICO, FLANNEL } from './manifests.ts';

const flannel = (settings: object | string): string =>
  JSON.stringify({
    kind: 'ConfigMap',
    data: { 'net-conf.json': typeof settings === 'string' ? settings : JSON.stringify(settings) },
  });
const calico = (value: string): string =>
  CALICO.replace(
    'name: CALICO_IPV4POOL_IPIP\n              value: "Always"',
    `name: CALICO_IPV4POOL_CIDR\n              value: "${value}"`,
  );

it.each<[string, string, string | undefined]>([
  ['flannel, as it comes', FLANNEL, '10.244.0.0/16'],
  ['flannel with another one', flannel({ Network: '10.32.0.0/12' }), '10.32.0.0/12'],
  [
    'flannel with both families',
    flannel({ Network: '10.244.0.0/16', EnableIPv6: true, IPv6Network: '2001:db8:42::/56' }),
    '10.244.0.0/16,2001:db8:42::/56',
  ],
  [
    'flannel with IPv6 alone',
    flannel({ Network: '10.244.0.0/16', EnableIPv4: false, EnableIPv6: true, IPv6Network: '2001:db8::/56' }),
    '2001:db8::/56',
  ],
  ['flannel that does not say', flannel({ Backend: { Type: 'vxlan' } }), undefined],
  ['no JSON', flannel('Network: 10.244.0.0/16'), undefined],
  ['what is no network', flannel({ Network: '10.244.0.0/33' }), undefined],
  ['what would be another field of a list', flannel({ Network: '10.244.0.0/16\tx' }), undefined],
  ['Calico, which takes that of kubeadm', CALICO, '192.168.0.0/16'],
  ['Calico with another one', calico('10.1.0.0/16'), '10.1.0.0/16'],
  ['anything else', 'kind: Pod\n', undefined],
])('the network of pods of %s', (_, text, range) => {
  expect(readManifest(text, 'mine').podNetwork?.range).toBe(range);
});
