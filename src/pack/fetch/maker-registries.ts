import { seconds } from '../../lib/duration.ts';
import type { HttpTimeouts } from '../../lib/http/request-clock.ts';
import type { Host } from '../../registry/oci/reference.ts';
import type { Registries } from '../../registry/registries.ts';
import { type ConnectionParts, type ConnectionSettings, openRegistries } from '../../registry/registries.ts';
import type { Registry } from '../../registry/registry.ts';

/** An upstream registry that does not answer within this time counts as unreachable. */
const TIMEOUTS: HttpTimeouts = { connect: seconds(10), firstByte: seconds(15), idle: seconds(15) };

/** The upstream registries of images. They are often unreachable, which packer finds out once a run for each. */
export class MakerRegistries {
  readonly #registries: Registries;
  readonly #troubles = new Map<Host, Promise<unknown>>();

  constructor(registries: Registries) {
    this.#registries = registries;
  }

  /**
   * Opens them with one attempt a request and short timeouts, because behind a firewall no host answers. Throws like
   * `openRegistries`.
   */
  static async open(settings: ConnectionSettings, parts: ConnectionParts): Promise<MakerRegistries> {
    const timeouts = parts.timeouts ?? TIMEOUTS;
    const retry = { ...settings.retry, attempts: 1 };
    return new MakerRegistries(await openRegistries({ ...settings, retry }, { ...parts, timeouts }));
  }

  at(host: Host): Registry {
    return this.#registries.at(host);
  }

  /**
   * Returns the error that prevents requests to an upstream registry; undefined if it answers. Throws the signal's
   * reason.
   */
  trouble(host: Host, signal: AbortSignal): Promise<unknown> {
    const known = this.#troubles.get(host);
    if (known !== undefined) return known;
    const trouble = this.at(host)
      .ping()
      .then(
        () => undefined,
        (error: unknown) => {
          signal.throwIfAborted();
          return error;
        },
      );
    this.#troubles.set(host, trouble);
    return trouble;
  }

  /** Returns the errors that prevented requests to upstream registries so far. */
  async troubles(): Promise<readonly unknown[]> {
    const troubles = await Promise.all(this.#troubles.values());
    return troubles.filter((trouble) => trouble !== undefined);
  }

  close(): void {
    this.#registries.close();
  }
}
