import { isIPv4, isIPv6 } from 'node:net';
import { z } from 'zod';
import { parseJson } from '../../lib/json.ts';
import type { ManifestFacts } from './manifest-walk.ts';

/** The network from which the pods of a cluster get their addresses, as an add-on configures it. */
export interface PodNetwork {
  /** A network such as 10.244.0.0/16, or two of them, separated by a comma, if pods have an address of each family. */
  readonly range: string;
  /** Whether the add-on needs the CNI plugins of the package because it does not include them. */
  readonly needsPlugins: boolean;
}

/** The configuration of flannel. https://github.com/flannel-io/flannel/blob/master/Documentation/configuration.md */
const flannelShape = z.object({
  Network: z.string().optional(),
  EnableIPv4: z.boolean().optional(),
  EnableIPv6: z.boolean().optional(),
  IPv6Network: z.string().optional(),
});

/** Without configuration, Calico uses kubeadm's network, and without that this one. */
const CALICO_DEFAULT = '192.168.0.0/16';

function isRange(text: string): boolean {
  const [address = '', length = '', ...more] = text.split('/');
  const most = isIPv4(address) ? 32 : isIPv6(address) ? 128 : 0;
  return more.length === 0 && /^\d{1,3}$/.test(length) && Number(length) <= most && !address.includes('%');
}

function ranges(...texts: (string | undefined)[]): string | undefined {
  const given = texts.filter((text) => text !== undefined && text !== '');
  return given.length > 0 && given.every((text) => text !== undefined && isRange(text))
    ? given.join(',')
    : undefined;
}

function flannelRange(text: string): string | undefined {
  const { success, data } = flannelShape.safeParse(parseJson(text));
  if (!success) return undefined;
  const { Network, EnableIPv4, EnableIPv6, IPv6Network } = data;
  return ranges(EnableIPv4 === false ? undefined : Network, EnableIPv6 === true ? IPv6Network : undefined);
}

function calicoRange(environment: ReadonlyMap<string, string>): string | undefined {
  return ranges(environment.get('CALICO_IPV4POOL_CIDR'), environment.get('CALICO_IPV6POOL_CIDR'));
}

/**
 * Returns the pod network that a manifest of flannel or Calico sets up; undefined for any other, including networks
 * that need none from kubeadm.
 */
export function podNetworkOf({ data, environment, images }: ManifestFacts): PodNetwork | undefined {
  const flannel = data.get('net-conf.json');
  const range = flannel === undefined ? undefined : flannelRange(flannel);
  if (range !== undefined) return { range, needsPlugins: true };
  const isCalico = images.some(({ value }) => /(?:^|\/)calico\/node(?:[:@]|$)/.test(value));
  return isCalico ? { range: calicoRange(environment) ?? CALICO_DEFAULT, needsPlugins: false } : undefined;
}
