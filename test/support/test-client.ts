import { type Duration, milliseconds } from '../../src/lib/duration.ts';
import { explicitCredential, lookupInTurn } from '../../src/registry/auth/credentials.ts';
import type { LimitSettings } from '../../src/registry/host-limits.ts';
import type { Host } from '../../src/registry/oci/reference.ts';
import { Registries } from '../../src/registry/registries.ts';
import type { Registry } from '../../src/registry/registry.ts';

type RegistriesSettings = ConstructorParameters<typeof Registries>[0];

/** How a test's registry client differs from the usual one, which has three attempts and hardly waits between them. */
export interface ClientChoices
  extends Partial<Omit<RegistriesSettings, 'credentials' | 'retry' | 'onSecret'>> {
  readonly login?: { readonly username: string; readonly password: string } | undefined;
  readonly identityToken?: string;
  readonly attempts?: number;
  readonly interval?: Duration;
}

const LIMITS: LimitSettings = { metadata: { start: 8 }, transfers: { start: 4 } };

/** The registries of a test, closed when it ends. */
export class TestClient implements Disposable {
  readonly registries: Registries;
  readonly registry: Registry;
  readonly signal: AbortSignal;
  readonly secrets: string[] = [];

  /** A client with a login for `host`, which `registry` is. */
  constructor(host: Host, choices: ClientChoices = {}) {
    const { login, identityToken, attempts = 3, interval = milliseconds(1), ...settings } = choices;
    this.signal = choices.signal ?? new AbortController().signal;
    this.registries = new Registries({
      limits: LIMITS,
      insecure: [],
      signal: this.signal,
      ...settings,
      credentials: lookupInTurn([
        explicitCredential(host, login?.username, login?.password),
        async (asked) =>
          asked === host && identityToken !== undefined
            ? [{ credential: { kind: 'identity-token', token: identityToken } }]
            : [],
      ]),
      retry: { attempts, interval },
      onSecret: (secret) => this.secrets.push(secret),
    });
    this.registry = this.registries.at(host);
  }

  [Symbol.dispose](): void {
    this.registries.close();
  }
}
