import { z } from 'zod';
import { serve } from './serving.ts';
import { TagRegistry, tagRegistrySettings } from './tag-registry.ts';

// Started by `ServerProcess`: two registries that hold the same tags.

const settings = z
  .object({ source: tagRegistrySettings, destination: tagRegistrySettings })
  .parse(JSON.parse(process.argv[2] ?? ''));
serve([await TagRegistry.start(settings.source), await TagRegistry.start(settings.destination)]);
