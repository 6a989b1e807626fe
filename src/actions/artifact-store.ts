import type { RunArtifacts } from '../publish/contract/run-artifacts.ts';
import { listenTo } from './toolkit-output.ts';

/** Returns the artifacts of this run; undefined outside a workflow. */
export function artifactStore(environment: NodeJS.ProcessEnv): RunArtifacts | undefined {
  const { ACTIONS_RUNTIME_TOKEN: token = '', GITHUB_RUN_ID: run = '' } = environment;
  if (token === '' || run === '') return undefined;
  const { GITHUB_SERVER_URL: server = 'https://github.com', GITHUB_REPOSITORY: repository = '' } =
    environment;
  return {
    runUrl: `${server}/${repository}/actions/runs/${run}`,
    openStore: async () => {
      const { DefaultArtifactClient } = await import('@actions/artifact');
      const client = new DefaultArtifactClient();
      // The toolkit logs every step it takes; the action logs only the result.
      return {
        uploadArtifact: (name, files, root, options) =>
          listenTo(() => client.uploadArtifact(name, files, root, options)).result,
        getArtifact: (name) => listenTo(() => client.getArtifact(name)).result,
        deleteArtifact: (name) => listenTo(() => client.deleteArtifact(name)).result,
      };
    },
  };
}
