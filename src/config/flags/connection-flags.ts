import { parseDuration } from '../../lib/duration.ts';
import type { RetryPolicy } from '../../lib/retry.ts';
import { apiHost, type Host } from '../../registry/oci/reference.ts';
import type { Flag } from './flag.ts';
import type { FlagReader } from './flag-reader.ts';
import { wholeNumber } from './flag-value.ts';
import { hostParser } from './registry-flags.ts';

/** The heading of the following flags in tables and help. */
export const PACE = 'Limits and retries';

/** The flags for limits per host, the same in all tools. */
export const LIMIT_FLAGS = [
  {
    name: 'query-limit',
    value: 'N',
    defaultNote: 'starts at 10, adapts up to 64',
    group: PACE,
    description: 'Maximum number of concurrent requests to each registry',
  },
  {
    name: 'limit',
    value: 'N',
    defaultNote: 'starts at 5, adapts up to 32',
    group: PACE,
    description: 'Maximum number of concurrent layer transfers for each registry',
  },
] as const satisfies readonly Flag[];

/** Returns the flags for hosts without TLS, or without a certificate that can be verified, under a heading. */
export function trustFlags(group: string) {
  return [
    {
      name: 'insecure-registry',
      value: 'HOST',
      repeatable: true,
      group,
      description: 'Registry to use over plain HTTP if it does not support TLS',
    },
    {
      name: 'tls-skip-verify',
      value: 'HOST',
      repeatable: true,
      group,
      description:
        'Host whose certificate is not verified; anyone on the network path could read and change the traffic',
    },
  ] as const satisfies readonly Flag[];
}

/** The flags for retries, the same in all tools. */
export const RETRY_FLAGS = [
  {
    name: 'retry',
    value: 'N',
    default: '5',
    group: PACE,
    description: 'Attempts for each request; 0 or 1 means no retries',
  },
  {
    name: 'retry-interval',
    value: 'DURATION',
    default: '5s',
    group: PACE,
    description: 'Pause before the second attempt; later pauses are longer',
  },
] as const satisfies readonly Flag[];

/**
 * Returns the hosts whose certificates are not verified, and adds a notice about each of them. They are the hosts of
 * addresses, such as `registry-1.docker.io` for Docker Hub.
 */
export function readUnverified<Name extends string>(
  flags: FlagReader<Name | 'tls-skip-verify'>,
  notices: Set<string>,
): Host[] {
  const hosts = flags.list('tls-skip-verify', hostParser(notices)).map(apiHost);
  for (const host of hosts) {
    notices.add(
      `${flags.label('tls-skip-verify')}: the certificate of ${host} is not verified, so anyone on the network path could read passwords and change images`,
    );
  }
  return hosts;
}

/** Returns how often each request is tried, and the pause before the second attempt. */
export function readRetry(flags: FlagReader<(typeof RETRY_FLAGS)[number]['name']>): RetryPolicy {
  // A run needs one attempt at least. 0 has always meant that nothing is tried a second time.
  const attempts = Math.max(1, flags.required('retry', wholeNumber(0, 100)));
  return { attempts, interval: flags.required('retry-interval', parseDuration) };
}
