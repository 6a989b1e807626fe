import { expect, it } from 'vitest';
import { openTargets } from './open-targets.ts';

it('artifacts exist only in a workflow', async () => {
  await expect(openTargets({ repo: 'artifact' })).rejects.toMatchObject({
    code: 'TARGET_UNAVAILABLE',
    about: 'artifact',
    message: 'this target is not available here',
  });
});
