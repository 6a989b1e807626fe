import type { Host } from '../src/registry/oci/reference.ts';
import type { HostTraffic } from './server-process.ts';

/** A host that counts what goes over it. */
export interface CountedHost {
  readonly host: Host;
  readonly traffic: HostTraffic;
}

/** The other side of `ServerProcess`: says where the hosts are, and answers each message with their traffic so far. */
export function serve(hosts: readonly CountedHost[]): void {
  process.on('message', () => process.send?.({ traffic: hosts.map(({ traffic }) => traffic) }));
  process.once('disconnect', () => process.exit());
  process.send?.({ hosts: hosts.map(({ host }) => host) });
}
