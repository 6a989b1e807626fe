import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { z } from 'zod';
import { type Host, parseHost } from '../src/registry/reference.ts';
import type { Traffic } from '../test/support/delay-proxy.ts';

const EXTENSION = import.meta.url.endsWith('.ts') ? 'ts' : 'js';
const PROGRAM = fileURLToPath(new URL(`./distance-process.${EXTENSION}`, import.meta.url));
const started = z.object({ hosts: z.array(z.string()) });
const traffic = z.object({
  traffic: z.array(
    z.object({
      connections: z.number(),
      requests: z.number(),
      bytesSent: z.number(),
      bytesReceived: z.number(),
    }),
  ),
});

/** Hosts that are far away, made so by a process of their own whose work is not measured with that of the client. */
export class Distance implements AsyncDisposable {
  /** In the order in which the hosts behind them were given. */
  readonly hosts: readonly Host[];
  readonly #process: ChildProcess;

  private constructor(process: ChildProcess, hosts: readonly Host[]) {
    this.#process = process;
    this.hosts = hosts;
  }

  static async start(roundTripMilliseconds: number, hosts: readonly Host[]): Promise<Distance> {
    const process = fork(PROGRAM, [String(roundTripMilliseconds), ...hosts]);
    const [message] = await once(process, 'message');
    return new Distance(
      process,
      started.parse(message).hosts.map((host) => parseHost(host)),
    );
  }

  /** Gives what went to each host so far. */
  async traffic(): Promise<readonly Traffic[]> {
    const answer = once(this.#process, 'message');
    this.#process.send('traffic');
    const [message] = await answer;
    return traffic.parse(message).traffic;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const ended = once(this.#process, 'exit');
    this.#process.disconnect();
    await ended;
  }
}
