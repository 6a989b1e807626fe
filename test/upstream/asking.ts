import { readFileSync } from 'node:fs';
import { onTestFinished, vi } from 'vitest';
import { UpstreamMirror } from '../../src/config/upstream-mirror.ts';
import { milliseconds } from '../../src/lib/duration.ts';
import { HttpClient } from '../../src/lib/http/http.ts';
import type { HttpTimeouts } from '../../src/lib/http/request-clock.ts';
import { MAKER_TIMEOUTS } from '../../src/upstream/maker-client.ts';
import { Upstream } from '../../src/upstream/upstream.ts';
import { MAKERS_AUTHORITIES_FILE } from '../support/test-authority.ts';
import type { UpstreamService } from '../support/upstream/upstream-service.ts';

type Parts = ConstructorParameters<typeof Upstream>[0];

/** Shorter than in a run, where a host is silent, and long enough for a busy machine, where one answers. */
const HASTE: HttpTimeouts = {
  ...MAKER_TIMEOUTS,
  connect: milliseconds(1500),
  firstByte: milliseconds(1500),
  idle: milliseconds(1500),
};

/** Returns Upstream as a run has it, on a machine that runs kubeadm, behind the proxy that leads to the stand-in. */
export function upstreamFor(
  service: UpstreamService,
  choices: Partial<Parts> = {},
  timeouts = HASTE,
): Upstream {
  vi.stubEnv('HTTPS_PROXY', service.proxy.url);
  vi.stubEnv('NO_PROXY', '');
  const authorities = [readFileSync(MAKERS_AUTHORITIES_FILE, 'utf8')];
  const http = new HttpClient({ authorities, timeouts });
  onTestFinished(() => {
    http.close();
    vi.unstubAllEnvs();
  });
  return new Upstream({
    http,
    retry: { attempts: 3, interval: milliseconds(1) },
    mirror: new UpstreamMirror(),
    verifySignatures: 'off',
    place: { platform: 'linux', machine: 'x64' },
    ...choices,
  });
}
