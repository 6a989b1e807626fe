import { expect, it } from 'vitest';
import { parseKubernetesWord } from '../../src/config/kubernetes/word-parser.ts';

it('refuses other texts with what can be written', () => {
  expect(() => parseKubernetesWord('newest', 'kubernetes')).toThrow(
    expect.objectContaining({
      code: 'KUBERNETES_VERSION_MALFORMED',
      about: 'kubernetes',
      message: 'expected a version of Kubernetes, found "newest"',
      hint: 'write "1.37" for all releases of a minor, "1.37.1" for one, "latest", "latest-1" or "supported"',
    }),
  );
});
