import { once } from 'node:events';
import { fillRegistry } from '../test/support/images/fill.ts';
import { KUBERNETES_SET } from '../test/support/images/kubernetes-set.ts';
import { DOCKER_HUB_SET, QUAY_SET } from '../test/support/images/public-set.ts';
import { startRegistry, type TestRegistry } from '../test/support/registry/registry.ts';

// Usage: node build/scripts/try.js [PORT PORT], which runs until Ctrl-C and keeps nothing. Port 0 is a free one.

const [, , from = '5001', to = '5002'] = process.argv;
const SETS = [...KUBERNETES_SET, ...DOCKER_HUB_SET, ...QUAY_SET];

/** Starts a registry without TLS. If its port is taken, ends the process with a hint. */
async function start(port: string): Promise<TestRegistry> {
  try {
    return await startRegistry({ tls: false, port: Number(port) });
  } catch {
    process.stderr.write(`cannot listen on 127.0.0.1:${port}: end the program that uses this port\n`);
    process.exit(1);
  }
}

await using source = await start(from);
await using destination = await start(to);
const images = await fillRegistry(source, SETS);
process.stdout.write(`\
${source.host} has ${images.size} small images with the names of registry.k8s.io, Docker Hub and quay.io.
${destination.host} is empty. Both use plain HTTP, need no login, and keep everything in memory.

In another terminal:
  ./synctl sync ${source.host}/library/nginx:1.27.5 ${source.host}/prometheus/prometheus:v3.3.0 --push-to ${destination.host} --push-ns mirror
  ./synctl sync --source ${source.host} --push-to ${destination.host} --push-ns mirror --image-set .github/ci/image_set.json

To see which repositories a registry has: curl http://${source.host}/v2/_catalog
Ctrl-C ends both.
`);
await Promise.race([once(process, 'SIGINT'), once(process, 'SIGTERM')]);
