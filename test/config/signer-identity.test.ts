import { describe, expect, test } from 'vitest';
import {
  adviseOnLetters,
  adviseOnWorkflow,
  findAnyone,
  isIdentity,
  isNearly,
} from '../../src/config/signer-identity.ts';

const WORKFLOWS = 'https://github.com/org/app/.github/workflows';

describe('an identity', () => {
  test.each<[pattern: string, identity: string, is: boolean]>([
    ['me@example.com', 'me@example.com', true],
    ['*@example.com', 'you@example.com', true],
    ['*@example.com', 'you@evil.example@example.com', false],
    ['krel-*@k8s.example', 'krel-trust@k8s.example', true],
    [`${WORKFLOWS}/release.yml@refs/tags/v*`, `${WORKFLOWS}/release.yml@refs/tags/v1.2`, true],
    [`${WORKFLOWS}/release.yml@refs/tags/v*`, `${WORKFLOWS}/release.yml@refs/tags/v1/x`, false],
    [`${WORKFLOWS}/release.yml@refs/heads/*`, `${WORKFLOWS}/release.yml@refs/heads/main`, true],
    [`${WORKFLOWS}/release.yml@refs/heads/*`, `${WORKFLOWS}/release.yml@refs/heads/release/1.2`, false],
    [
      `${WORKFLOWS}/release.yml@refs/heads/release/*`,
      `${WORKFLOWS}/release.yml@refs/heads/release/1.2`,
      true,
    ],
    [`${WORKFLOWS}/*@refs/tags/v*`, `${WORKFLOWS}/release.yml@refs/tags/v1`, true],
    // Whoever may push a branch may name it like the end of a wanted identity.
    [`${WORKFLOWS}/*@refs/tags/v*`, `${WORKFLOWS}/test.yml@refs/heads/x@refs/tags/v1`, false],
    [
      'https://github.com/org/*/.github/workflows/r.yml@refs/tags/v*',
      `${WORKFLOWS}/r.yml@refs/tags/v1`,
      true,
    ],
    [
      'https://github.com/org/*/r.yml@refs/tags/v*',
      'https://github.com/org/app/.github/workflows/r.yml@refs/tags/v1',
      false,
    ],
    [`${WORKFLOWS}/*`, `${WORKFLOWS}/release.yml@refs/tags/v1`, false],
    [`${WORKFLOWS}/**`, `${WORKFLOWS}/release.yml@refs/tags/v1`, true],
    ['https://github.com/org/**', `${WORKFLOWS}/release.yml@refs/tags/v1`, true],
    ['a**e', 'a@b/c\nde', true],
    ['a*e', 'abde', true],
    ['a.e', 'abe', false],
    ['(a+)+', 'aaa', false],
  ])('that is wanted as %j is %j: %s', (pattern, identity, is) => {
    expect(isIdentity(pattern, identity)).toBe(is);
  });

  test.each<[pattern: string, wrong: string | undefined]>([
    ['*', 'this matches everyone'],
    ['***', 'this matches everyone'],
    ['*@*', 'this matches everyone'],
    ['https://**', 'this matches everyone'],
    ['https://*/**', 'this matches everyone'],
    ['me@*', 'this matches anyone at any host'],
    ['*@*.com', 'this matches anyone at any host'],
    ['**example.com', 'this matches anyone at any host'],
    ['krel-*', 'this matches anyone at any host'],
    ['https://*.example/org/**', 'this matches anyone at any host'],
    ['https://github.com*', 'this matches anyone at any host'],
    ['https://github.com/**', 'this matches anyone at github.com'],
    ['https://github.com/*/app/.github/workflows/r.yml@refs/tags/v*', 'this matches anyone at github.com'],
    [
      'https://github.com/kube*/app/.github/workflows/r.yml@refs/tags/v*',
      'this matches anyone at github.com',
    ],
    ['https://gitlab.com/*/app//.gitlab-ci.yml@refs/heads/main', 'this matches anyone at gitlab.com'],
    ['*@example.com', undefined],
    ['me@example.com', undefined],
    ['me', undefined],
    ['spiffe://example.com/ns/*/sa/release', undefined],
    [`${WORKFLOWS}/**`, undefined],
  ])('that leaves open whose it is, is refused: %s', (pattern, wrong) => {
    expect(findAnyone(pattern)).toBe(wrong);
  });

  test.each<[pattern: string, open: string]>([
    ['https://github.com/org/**', 'any repository, any workflow, any branch'],
    ['https://github.com/org/*/.github/workflows/r.yml@refs/tags/v*', 'any repository'],
    [`${WORKFLOWS}/**`, 'any workflow, any branch'],
    [`${WORKFLOWS}/*@refs/tags/v*`, 'any workflow'],
    [`${WORKFLOWS}/release**@refs/tags/v*`, 'any workflow'],
    [`${WORKFLOWS}/release.yml@**`, 'any branch'],
    [`${WORKFLOWS}/release.yml@refs/**`, 'any branch'],
    [`${WORKFLOWS}/release.yml@refs/heads/*`, 'any branch'],
    [`${WORKFLOWS}/release.yml@refs/heads/**`, 'any branch'],
  ])('of a workflow that leaves parts open is told what it takes: %s', (pattern, open) => {
    expect(adviseOnWorkflow(pattern)).toMatch(`${JSON.stringify(pattern)} accepts ${open}: write https://`);
  });

  test.each([
    ['https://github.com/org'],
    ['https://github.com/org/*'],
    ['https://github.com/org/app'],
    [`${WORKFLOWS}/release.yml`],
    [`${WORKFLOWS}/*`],
    [`${WORKFLOWS}/@refs/tags/v1`],
    [`${WORKFLOWS}/release.yml@main`],
    [`${WORKFLOWS}/release.yml@*`],
    [`${WORKFLOWS}/release.yml@refs/*`],
    ['https://github.com/org/app/workflows/release.yml@refs/tags/v*'],
  ])('that no workflow can have is told as that: %s', (pattern) => {
    expect(adviseOnWorkflow(pattern)).toMatch(/^no workflow has an address like /);
  });

  test.each([
    [`${WORKFLOWS}/release.yml@refs/tags/v*`],
    [`${WORKFLOWS}/release.yml@refs/tags/*`],
    [`${WORKFLOWS}/release.yml@refs/*/v1.2`],
    [`${WORKFLOWS}/release-*.yml@refs/heads/release-*`],
    [`${WORKFLOWS}/release.yml@refs/heads/main`],
    [`${WORKFLOWS}/release.yml@${'0'.repeat(40)}`],
    ['me@example.com'],
    ['https://gitlab.com/org/app//.gitlab-ci.yml@refs/heads/main'],
  ])('that names its parts is left alone: %s', (pattern) => {
    expect(adviseOnWorkflow(pattern)).toBeUndefined();
  });

  test.each<[pattern: string, identity: string, isNear: boolean]>([
    [`${WORKFLOWS}/*`, `${WORKFLOWS}/release.yml@refs/tags/v1`, true],
    ['https://gitlab.com/org/*', 'https://gitlab.com/org/app//.gitlab-ci.yml@refs/heads/main', true],
    [`${WORKFLOWS}/release.yml@refs/heads/*`, `${WORKFLOWS}/release.yml@refs/heads/release/1.2`, true],
    [`${WORKFLOWS}/release.yml@refs/heads/*`, `${WORKFLOWS}/release.yml@refs/heads/main`, false],
    [`${WORKFLOWS}/*`, 'https://github.com/other/app/.github/workflows/release.yml@refs/tags/v1', false],
    ['me@example.com', 'you@example.com', false],
  ])('that only "/" or "@" keeps from matching is known: %s and %s', (pattern, identity, isNear) => {
    expect(isNearly(pattern, identity)).toBe(isNear);
  });

  test.each([
    ['m\u0435@example.com', 'U+0435'],
    ['me@ex\u00e4mple.com', 'U+00E4'],
    ['me\u202e@example.com', 'U+202E'],
    ['me\0@example.com', 'U+0000'],
    ['https://example.com/\u{1f600}', 'U+1F600'],
  ])('with a letter that no certificate has is told with it: %j', (pattern, letter) => {
    expect(adviseOnLetters(pattern)).toMatch(
      `no certificate has an identity like ${JSON.stringify(pattern)}: it contains ${letter}, but`,
    );
    expect(adviseOnLetters('me+you@xn--exmple-cua.com')).toBeUndefined();
  });

  test.each([
    [
      'https://github.com/slsa-framework/slsa-github-generator/.github/workflows/generator_container_slsa3.yml@refs/tags/v*',
    ],
    [
      `https://github.com/github/artifact-attestations-workflows/.github/workflows/attest.yml@${'0'.repeat(40)}`,
    ],
    ['https://github.com/docker/github-builder/.github/workflows/build.yml@refs/tags/v*'],
  ])('of a workflow that is there to be called by everybody is told as that: %s', (pattern) => {
    expect(adviseOnWorkflow(pattern)).toMatch(/ is a workflow that anyone can call to sign any image: /);
  });
});
