import { z } from 'zod';
import { parseHost } from '../src/registry/oci/reference.ts';
import { DelayProxy } from '../test/support/delay-proxy.ts';
import { serve } from './serving.ts';

// Started by `ServerProcess`: puts a distance in front of each host.

const { hosts, milliseconds, bytesPerSecond } = z
  .object({ hosts: z.array(z.string()), milliseconds: z.number(), bytesPerSecond: z.number().optional() })
  .parse(JSON.parse(process.argv[2] ?? ''));
const distance = {
  roundTripMilliseconds: milliseconds,
  ...(bytesPerSecond === undefined ? {} : { bytesPerSecond }),
};
serve(await Promise.all(hosts.map((host) => DelayProxy.start(parseHost(host), distance))));
