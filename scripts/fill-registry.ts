import { fillRegistry } from '../test/support/images/fill.ts';
import { KUBERNETES_SET } from '../test/support/images/kubernetes-set.ts';

// Usage: node build/scripts/fill-registry.js HOST, which speaks plain HTTP
const [, , host] = process.argv;
if (host === undefined) throw new Error('name the registry to fill');
const images = await fillRegistry({ host, isPlain: true }, KUBERNETES_SET);
process.stdout.write(`${host} holds ${images.size} images\n`);
