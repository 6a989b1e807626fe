import { milliseconds } from '../../src/lib/duration.ts';
import type { PublishTarget } from '../../src/publish/contract/target.ts';
import type { TargetMeans } from '../../src/publish/contract/target-kind.ts';
import { parsePublishSettings } from '../../src/publish/settings.ts';
import { explicitCredential } from '../../src/registry/auth/credentials.ts';
import { ADAPTIVE_LIMITS } from '../../src/registry/host-limits.ts';
import { Registries } from '../../src/registry/registries.ts';
import { Listener } from './listener.ts';

const calm = new AbortController().signal;

/** Opens the targets that flags and environment name, as a run does. */
export async function openTargets(
  values: Readonly<Record<string, string>>,
  environment: Readonly<Record<string, string>> = {},
  more: Partial<TargetMeans> = {},
): Promise<PublishTarget[]> {
  const label = (name: string) => `--${name}`;
  const parsed = parsePublishSettings({ values: new Map(Object.entries(values)), environment, label });
  if (!parsed.ok) throw new AggregateError(parsed.failures, parsed.failures.join('\n'));
  const retry = { attempts: 1, interval: milliseconds(1) };
  const means: TargetMeans = {
    retry,
    overwrite: parsed.settings.overwrite,
    reporter: new Listener(),
    trust: {},
    openRegistries: async ({ host, username, password }) =>
      new Registries({
        credentials: explicitCredential(host, username, password),
        retry,
        limits: ADAPTIVE_LIMITS,
        insecure: [],
        signal: calm,
        onSecret: () => undefined,
      }),
    artifacts: undefined,
    ...more,
  };
  return await Promise.all(parsed.settings.targets.map(({ open }) => open(means)));
}
