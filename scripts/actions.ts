import { readFileSync, writeFileSync } from 'node:fs';
import { PACK_OUTPUTS, SYNC_OUTPUTS } from '../src/actions/outputs.ts';
import { PACK_INPUTS } from '../src/actions/pack-step.ts';
import { SYNC_FLAGS } from '../src/sync/flags.ts';
import {
  type DescribedAction,
  formatActionMetadata,
  formatInputTables,
  formatOutputTable,
  replaceSection,
} from './action-metadata.ts';

/** The actions of this repository by their folders. */
export const ACTIONS: Readonly<Record<string, DescribedAction>> = {
  'action-sync': {
    name: 'keel-pkg sync',
    description: 'Mirror Kubernetes images, and any others, into a private registry',
    icon: 'copy',
    color: 'blue',
    bundle: '../dist/action-sync/index.js',
    post: true,
    inputs: SYNC_FLAGS,
    outputs: SYNC_OUTPUTS,
  },
  'action-pack': {
    name: 'keel-pkg pack',
    description: 'Build a package that installs Kubernetes without a network, and publish it',
    icon: 'package',
    color: 'blue',
    bundle: '../dist/action-pack/index.js',
    post: false,
    // The runner has a token for every job, but passes it only to actions that request it.
    inputs: PACK_INPUTS.map((input) =>
      // biome-ignore lint/suspicious/noTemplateCurlyInString: an expression of GitHub's, not one of ours
      input.name === 'github-token' ? { ...input, default: '${{ github.token }}' } : input,
    ),
    outputs: PACK_OUTPUTS,
  },
};

/** Returns the generated files of an action by path, with their content. */
export function generateAction(folder: string, action: DescribedAction): ReadonlyMap<string, string> {
  const readme = `${folder}/README.md`;
  const withInputs = replaceSection(readFileSync(readme, 'utf8'), 'inputs', formatInputTables(action.inputs));
  return new Map([
    [`${folder}/action.yml`, formatActionMetadata(action)],
    [readme, replaceSection(withInputs, 'outputs', formatOutputTable(action.outputs))],
  ]);
}

if (import.meta.main) {
  for (const [folder, action] of Object.entries(ACTIONS)) {
    for (const [file, text] of generateAction(folder, action)) writeFileSync(file, text);
  }
}
