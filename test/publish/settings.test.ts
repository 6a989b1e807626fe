import { describe, expect, it } from 'vitest';
import { describeFailure } from '../../src/lib/failure.ts';
import { parsePublishSettings } from '../../src/publish/settings.ts';

const KEYS = { 'access-key': 'AK', 'secret-key': 'SK' };

function parse(values: Record<string, string>) {
  const label = (name: string) => `--${name}`;
  return parsePublishSettings({ values: new Map(Object.entries(values)), environment: {}, label });
}

function settings(values: Record<string, string>) {
  const parsed = parse(values);
  if (!parsed.ok) throw new Error(parsed.failures.map(describeFailure).join('\n'));
  return parsed.settings;
}

describe('where a package goes', () => {
  it('is Qiniu by itself', () => {
    expect(settings(KEYS)).toEqual({
      targets: [{ word: 'qiniu', open: expect.any(Function) }],
      overwrite: false,
    });
  });

  it('is every target in the order given', () => {
    const both = { ...KEYS, 'github-token': 'T', 'release-repository': 'me/it' };
    const words = (repo: string) => settings({ ...both, repo }).targets.map(({ word }) => word);
    expect(words('release,qiniu')).toEqual(['release', 'qiniu']);
    expect(words('qiniu,release')).toEqual(['qiniu', 'release']);
  });

  it('is nowhere for none, whatever else is given', () => {
    expect(settings({ repo: 'none', zone: 'mars' }).targets).toEqual([]);
  });

  it.each<[Record<string, string>, RegExp[]]>([
    [{}, [/^--access-key: this flag is required for publishing to Qiniu .*KEEL_ACCESS_KEY/, /^--secret-key/]],
    [{ ...KEYS, zone: 'mars' }, [/^--zone: "mars" is not a zone/]],
    [{ ...KEYS, 'qiniu-endpoint': 'uc.example.com' }, [/^--qiniu-endpoint: .*is not an address/]],
    [{ ...KEYS, 'qiniu-endpoint': '' }, [/^--qiniu-endpoint: it is empty/]],
    [
      {
        repo: 'dockerhub',
        ...{ 'dockerhub-username': 'me', 'dockerhub-password': 'hush' },
        'dockerhub-repository': '',
      },
      [/^--dockerhub-repository: it is empty/],
    ],
    [{ repo: 'dockerhub' }, [/^--dockerhub-repository: a repository is required/]],
    [{ repo: 'dockerhub', 'dockerhub-repository': 'a/b:c' }, [/^--dockerhub-repository: .*tag or digest/]],
    [
      { repo: 'dockerhub', 'dockerhub-repository': 'localhost:17102' },
      [
        /^--dockerhub-repository: "localhost:17102" is a host without the path .*\(write .*localhost:17102\/me\//,
      ],
    ],
    ...['localhost', 'localhost/', 'registry.example.com', 'registry.example.com:443/', '[::1]:5000'].map(
      (host): [Record<string, string>, RegExp[]] => [
        { repo: 'dockerhub', 'dockerhub-repository': host },
        [/^--dockerhub-repository: .* is a host without the path of a repository/],
      ],
    ),
    [{ repo: 'dockerhub', 'dockerhub-repository': 'kube:v1' }, [/^--dockerhub-repository: .*tag or digest/]],
    [{ repo: 'dockerhub', 'dockerhub-repository': 'kube:v1.36' }, [/^--dockerhub-repository: .*tag or dig/]],
    [{ repo: 'registry' }, [/^--repo: "registry" is no target \(for a registry of your own write dockerhub/]],
    [{ ...KEYS, repo: 'dockerhb,qiniu' }, [/^--repo: "dockerhb" is no target \(did you mean dockerhub\?\)/]],
    [{ repo: 'dockerhub', 'dockerhub-username': 'me' }, [/^--dockerhub-username: .*no password/]],
    [
      { repo: 'dockerhub', 'dockerhub-username': 'ME me', 'dockerhub-password': 'hush' },
      [/^--dockerhub-username: "ME me" cannot be part of a repository name .*--dockerhub-repository/],
    ],
    [{ repo: 'release' }, [/^--github-token/, /^--release-repository/]],
    [
      { repo: 'release', 'release-tag': 'a b', 'github-token': 'T', 'release-repository': 'x' },
      [/owner\/name/, /tag/],
    ],
    [{ repo: 'none', overwrite: 'perhaps' }, [/^--overwrite: "perhaps" is neither true nor false/]],
    [{ repo: 'release,qiniu' }, [/^--access-key/, /^--secret-key/, /^--github-token/, /^--release-rep/]],
  ])('%j are refused', (values, expected) => {
    const parsed = parse(values);
    const found = parsed.ok ? [] : parsed.failures.map(describeFailure);
    expect(found).toHaveLength(expected.length);
    for (const [index, pattern] of expected.entries()) expect(found[index]).toMatch(pattern);
  });

  it('is told to be Qiniu for an unknown word also where its keys are missing', () => {
    expect(parse({ repo: 'kodo' })).toMatchObject({
      ok: false,
      notices: [expect.stringMatching(/^"kodo" is no target, so Qiniu is used/)],
    });
  });
});
