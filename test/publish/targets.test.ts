import { describe, expect, it } from 'vitest';
import { parseTargetWords, TARGETS } from '../../src/publish/targets.ts';

it('each target has its own word and flags', () => {
  const words = TARGETS.map(({ word }) => word);
  const flags = TARGETS.flatMap((kind) => kind.flags.map(({ name }) => name));
  expect(new Set(words).size).toBe(words.length);
  expect(new Set(flags).size).toBe(flags.length);
});

const label = (name: string) => `--${name}`;

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
    ['qinui', ['qiniu'], 1],
    ['bucket', ['qiniu'], 1],
    ['oss', ['qiniu'], 1],
  ])('"%s" means %j, with %i warnings', (text, words, warnings) => {
    const chosen = parseTargetWords(text, label);
    expect(chosen.words).toEqual(words);
    expect(chosen.warnings).toHaveLength(warnings);
    expect(chosen.refusals).toEqual([]);
  });

  const OWN = 'for a registry of your own write dockerhub in --repo, and HOST/PATH in --dockerhub-repository';

  it.each([
    ['dockerhb', 'did you mean dockerhub?'],
    ['docker-hub', 'did you mean dockerhub?'],
    ['releases', 'did you mean release?'],
    ['relase', 'did you mean release?'],
    ['Artifacts', 'did you mean artifact?'],
    ['artefact', 'did you mean artifact?'],
    ['non', 'did you mean none?'],
    ['registry', OWN],
    ['docker', OWN],
    ['harbor', OWN],
    ['acr', OWN],
    ['oci', OWN],
    ['ghcr.io', OWN],
    ['registry.example.com/me/keel-pkg', OWN],
    ['127.0.0.1:5000', OWN],
    ['github', 'write release'],
    ['workflow', 'write artifact'],
    ['false', 'write none'],
  ])('"%s", which means another target, never goes to Qiniu: %s', (text, hint) => {
    const refused = { message: `"${text.toLowerCase()}" is no target`, hint };
    expect(parseTargetWords(text, label)).toEqual({ words: [], warnings: [], refusals: [refused] });
    const beside = parseTargetWords(`${text},release`, label);
    expect(beside).toEqual({ words: ['release'], warnings: [], refusals: [refused] });
  });
});
