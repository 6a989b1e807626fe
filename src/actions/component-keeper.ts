import { join } from 'node:path';
import type { FileKeeper } from '../pack/fetch/component-cache.ts';
import { listenTo } from './toolkit-output.ts';

/** The tool cache sorts by versions; what is kept here is named by its content. */
const VERSION = '1.0.0';
const FILE = 'component';

/**
 * Returns the keeper of components on a runner of one's own, whose tool cache outlives the job; undefined on GitHub's,
 * where it would only cost time.
 */
export function componentKeeper(environment: NodeJS.ProcessEnv): FileKeeper | undefined {
  const { RUNNER_ENVIRONMENT: kind, RUNNER_TOOL_CACHE: folder = '' } = environment;
  if (kind !== 'self-hosted' || folder === '') return undefined;
  return {
    find: async (key) => {
      const { find } = await import('@actions/tool-cache');
      const kept = await listenTo(async () => find(key, VERSION)).result;
      return kept === '' ? undefined : join(kept, FILE);
    },
    save: async (key, file) => {
      const { cacheFile } = await import('@actions/tool-cache');
      await listenTo(() => cacheFile(file, FILE, key, VERSION)).result;
    },
  };
}
