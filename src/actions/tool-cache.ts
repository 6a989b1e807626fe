import { join } from 'node:path';
import type { FileKeeper } from '../pack/fetch/component-cache.ts';
import { listenTo } from './toolkit-output.ts';

/** The tool cache requires a version. Components are named by their content and have none. */
const VERSION = '1.0.0';
const FILE = 'component';

/**
 * Returns the tool cache of a self-hosted runner, which keeps components between jobs; undefined on GitHub's own
 * runners, where saving them would be a waste of time.
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
