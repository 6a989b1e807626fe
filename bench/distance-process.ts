import { parseHost } from '../src/registry/reference.ts';
import { DelayProxy } from '../test/support/delay-proxy.ts';

// The process that `bench/distance.ts` starts: MILLISECONDS HOST…. It puts that distance in front of each host, says
// where, and answers each message with what went over it so far.

const [roundTrip, ...hosts] = process.argv.slice(2);
const distance = { roundTripMilliseconds: Number(roundTrip) };
const proxies = await Promise.all(hosts.map((host) => DelayProxy.start(parseHost(host), distance)));
process.on('message', () => process.send?.({ traffic: proxies.map(({ traffic }) => traffic) }));
process.once('disconnect', () => process.exit());
process.send?.({ hosts: proxies.map(({ host }) => host) });
