import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { z } from 'zod';
import { type Host, parseHost } from '../src/registry/oci/reference.ts';

const EXTENSION = import.meta.url.endsWith('.ts') ? 'ts' : 'js';
const started = z.object({ hosts: z.array(z.string()) });
const trafficShape = z.object({
  connections: z.number(),
  requests: z.record(z.string(), z.number()),
  bytesSent: z.number(),
  bytesReceived: z.number(),
});
const answerShape = z.object({ traffic: z.array(trafficShape) });

const PATIENCE_MILLISECONDS = 30_000;

/** What went to one host and came from it. */
export type HostTraffic = z.infer<typeof trafficShape>;

/** Hosts of a process of its own, so that its work is not measured with that of the client. */
export class ServerProcess implements AsyncDisposable {
  readonly hosts: readonly Host[];
  readonly pid: number;
  readonly #process: ChildProcess;

  private constructor(process: ChildProcess, hosts: readonly Host[]) {
    this.#process = process;
    this.pid = process.pid ?? 0;
    this.hosts = hosts;
  }

  /** Starts `bench/<program>-process`, which gets the settings as JSON. */
  static async start(program: 'distance' | 'tags', settings: object): Promise<ServerProcess> {
    const file = fileURLToPath(new URL(`./${program}-process.${EXTENSION}`, import.meta.url));
    const process = fork(file, [JSON.stringify(settings)]);
    const [message] = await once(process, 'message');
    const { hosts } = started.parse(message);
    return new ServerProcess(
      process,
      hosts.map((host) => parseHost(host)),
    );
  }

  /** Returns what went over each host so far. */
  async traffic(): Promise<readonly HostTraffic[]> {
    const answer = once(this.#process, 'message', { signal: AbortSignal.timeout(PATIENCE_MILLISECONDS) });
    this.#process.send('traffic');
    const [message] = await answer;
    return answerShape.parse(message).traffic;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const ended = once(this.#process, 'exit');
    this.#process.disconnect();
    await ended;
  }
}
