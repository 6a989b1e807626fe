import { expect, test } from 'vitest';
import { artifactStore } from '../../src/actions/artifact-store.ts';

const RUN = { ACTIONS_RUNTIME_TOKEN: 'a token', GITHUB_RUN_ID: '7', GITHUB_REPOSITORY: 'me/it' };

test.each([
  [{}, undefined],
  [{ ...RUN, ACTIONS_RUNTIME_TOKEN: '' }, undefined],
  [{ ...RUN, GITHUB_RUN_ID: '' }, undefined],
  [RUN, 'https://github.com/me/it/actions/runs/7'],
  [{ ...RUN, GITHUB_SERVER_URL: 'https://ghe.example.com' }, 'https://ghe.example.com/me/it/actions/runs/7'],
])('the page of a run with %j is %s', (environment, expected) => {
  expect(artifactStore(environment)?.runUrl).toBe(expected);
});
