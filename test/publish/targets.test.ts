import { describe, expect, it } from 'vitest';
import { parseTargetWords, TARGETS } from '../../src/publish/targets.ts';

it('each target has its own word and flags', () => {
  const words = TARGETS.map(({ word }) => word);
  const flags = TARGETS.flatMap((kind) => kind.flags.map(({ name }) => name));
  expect(new Set(words).size).toBe(words.length);
  expect(new Set(flags).size).toBe(flags.length);
});

describe('the words of --repo', () => {
  it.each<[string, string[], number]>([
    ['', ['qiniu'], 0],
    [' qiniu ', ['qiniu'], 0],
    ['dockerhub', ['dockerhub'], 0],
    ['release,artifact', ['release', 'artifact'], 0],
    ['DockerHub\nqiniu,qiniu', ['dockerhub', 'qiniu'], 0],
    ['none', [], 0],
    ['none,release', ['release'], 1],
    ['kodo', ['qiniu'], 1],
    ['kodo,qiniu', ['qiniu'], 1],
    [',', ['qiniu'], 0],
  ])('"%s" means %j, with %i warnings', (text, words, warnings) => {
    const chosen = parseTargetWords(text);
    expect(chosen.words).toEqual(words);
    expect(chosen.warnings).toHaveLength(warnings);
  });
});
