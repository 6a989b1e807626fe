import type { Host } from '../src/registry/oci/reference.ts';
import { measure } from './measure.ts';
import type { Sample } from './sample.ts';
import { type HostTraffic, ServerProcess } from './server-process.ts';

/** A registry with the process that it is. */
export interface RegistryProcess {
  readonly host: Host;
  readonly pid: number;
}

/** What lies between a tool and both registries. */
export interface RouteShape {
  /** There and back; with 0 there is nothing between them, and nothing is counted. */
  readonly milliseconds: number;
  /** In each direction of each registry. */
  readonly bytesPerSecond?: number;
}

/** The way from a source through a tool to a destination, over which the tool's runs are measured. */
export class Route implements AsyncDisposable {
  readonly from: Host;
  readonly to: Host;
  readonly #ends: readonly [RegistryProcess, RegistryProcess];
  readonly #network: ServerProcess | undefined;

  private constructor(ends: readonly [RegistryProcess, RegistryProcess], network: ServerProcess | undefined) {
    this.#ends = ends;
    this.#network = network;
    this.from = network?.hosts[0] ?? ends[0].host;
    this.to = network?.hosts[1] ?? ends[1].host;
  }

  static async open(
    source: RegistryProcess,
    destination: RegistryProcess,
    shape: RouteShape,
  ): Promise<Route> {
    if (shape.milliseconds === 0) return new Route([source, destination], undefined);
    const network = await ServerProcess.start('distance', {
      ...shape,
      hosts: [source.host, destination.host],
    });
    return new Route([source, destination], network);
  }

  /** Runs a command and returns what it cost, with what it asked of each end. */
  async measure(command: string): Promise<Sample> {
    const [source, destination] = this.#ends;
    const network = this.#network;
    const servers = {
      source: source.pid,
      destination: destination.pid,
      ...(network === undefined ? {} : { network: network.pid }),
    };
    const before = await network?.traffic();
    const { stdout: _, ...cost } = await measure(command, servers);
    const after = await network?.traffic();
    return before === undefined || after === undefined ? cost : { ...cost, ...difference(before, after) };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#network?.[Symbol.asyncDispose]();
  }
}

/** Returns what went over a source and a destination between two moments. */
export function difference(
  before: readonly HostTraffic[],
  after: readonly HostTraffic[],
): Pick<Sample, 'requests' | 'connections' | 'bytesReceived' | 'bytesSent'> {
  const [source, destination] = after.map((traffic, index) => subtract(traffic, before[index]));
  if (source === undefined || destination === undefined) return {};
  // What is encrypted cannot be counted on its way.
  const requests = { source: source.requests, destination: destination.requests };
  const isSeen = Object.keys({ ...source.requests, ...destination.requests }).length > 0;
  return {
    ...(isSeen ? { requests } : {}),
    connections: source.connections + destination.connections,
    bytesReceived: source.bytesReceived,
    bytesSent: destination.bytesSent,
  };
}

function subtract(after: HostTraffic, before: HostTraffic | undefined): HostTraffic {
  const counts = Object.entries(after.requests).map(([method, count]): [string, number] => [
    method,
    count - (before?.requests[method] ?? 0),
  ]);
  return {
    connections: after.connections - (before?.connections ?? 0),
    requests: Object.fromEntries(counts.filter(([, count]) => count > 0)),
    bytesSent: after.bytesSent - (before?.bytesSent ?? 0),
    bytesReceived: after.bytesReceived - (before?.bytesReceived ?? 0),
  };
}
