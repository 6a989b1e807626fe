import { expect, test } from 'vitest';
import { runPacker } from '../../src/cli/packer-dispatch.ts';
import type { Ending } from '../../src/process/exit-code.ts';
import { TerminalProcess } from '../support/terminal-process.ts';

async function run(line: string) {
  const process = new TerminalProcess(line.split(' '));
  const calls: string[] = [];
  const note = (name: string) => async (): Promise<Ending> => {
    calls.push(name);
    return 'complete';
  };
  const code = await runPacker(process, { pack: note('pack'), push: note('push') });
  return { code, calls, out: process.stdout.written, err: process.stderr.written };
}

test.each([
  ['--arch arm64', 'pack'],
  ['push --pkg-uri kube.tar.gz --repo none', 'push'],
  ['push --pkg-uri kube.tar.gz --images-to registry.example.com/mirror --dry-run', 'push'],
])('packer %s is understood', async (line, call) => {
  expect(await run(line)).toMatchObject({ code: 0, calls: [call], err: '' });
});

test.each([
  ['psuh', "error: unknown command 'psuh'\n(Did you mean push?)\n"],
  ['pull', 'error: unknown command \'pull\'\n(Known: push)\nSee "packer --help".\n'],
  ['--arch arm64 nosuch', 'error: unknown command \'nosuch\'\n(Known: push)\nSee "packer --help".\n'],
  ['help nosuch', 'error: unknown command \'nosuch\'\n(Known: push)\nSee "packer --help".\n'],
  [
    'push --pkg-uri kube.tar.gz --repo kodo',
    'warning: "kodo" is no target, so Qiniu is used; write qiniu, dockerhub, release, artifact or none\n' +
      'error: --access-key: this flag is required for publishing to Qiniu ',
  ],
  // Without --images-to it would publish.
  [
    'push --pkg-uri kube.tar.gz --access-key a --secret-key s --dry-run',
    'error: --dry-run: it applies only to the images of a package (set --images-to HOST/PATH too)\n',
  ],
  [
    'push --pkg-uri kube.tar.gz --images-to registry.example.com --username robot',
    'error: --username: there is a user name but no password (set --password-stdin or the environment variable KEEL_IMAGES_PASSWORD)\n',
  ],
  [
    'push --pkg-uri kube.tar.gz --access-key a --secret-key s --repo dockerhb',
    'error: --repo: "dockerhb" is no target (did you mean dockerhub?)\n',
  ],
  [
    'push --pkg-uri kube.tar.gz --access-key a --secret-key s --repo registry',
    'error: --repo: "registry" is no target (for a registry of your own write dockerhub in --repo, and HOST/PATH in --dockerhub-repository)\n',
  ],
])('packer %s is refused', async (line, message) => {
  const { code, calls, err } = await run(line);
  expect({ code, calls }).toEqual({ code: 2, calls: [] });
  expect(err).toContain(message);
});

test.each([
  ['help push', 'Usage: packer push'],
  ['help', 'Usage: packer [flags]'],
])('packer %s tells more', async (line, text) => {
  const { code, out } = await run(line);
  expect(code).toBe(0);
  expect(out).toContain(text);
});

test('the help of push speaks of its own work', async () => {
  const out = (await run('push --help')).out.replaceAll(/\s+/g, ' ');
  expect(out).toContain('1 The package, or one of its images, could not be published everywhere');
  expect(out).not.toMatch(/fetched|\bpacked|There is no package/);
});
