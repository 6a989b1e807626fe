import { execFile } from 'node:child_process';
import { chmod, copyFile, mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { writeExecutable } from '../../scripts/executable.ts';

const NODE_FOLDER = dirname(process.execPath);
const PROGRAM = `
import { basename } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
console.log(JSON.stringify([...process.argv.slice(2), typeof DatabaseSync, basename(import.meta.dirname)]));
`;

let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'keel executable '));
  for (const place of ['plain', 'commonjs', 'module', 'old', 'checkout/node_modules/.bin', 'links']) {
    await mkdir(join(folder, place), { recursive: true });
  }
  writeExecutable(join(folder, 'plain/tool'), 'tool', PROGRAM);
  for (const type of ['commonjs', 'module']) {
    await copyFile(join(folder, 'plain/tool'), join(folder, type, 'tool'));
    await writeFile(join(folder, type, 'package.json'), JSON.stringify({ type }));
  }
  await writeFile(join(folder, 'old/node'), '#!/bin/sh\necho v20.20.2\n');
  await chmod(join(folder, 'old/node'), 0o755);
  await copyFile(join(folder, 'plain/tool'), join(folder, 'checkout/tool'));
  await symlink(process.execPath, join(folder, 'checkout/node_modules/.bin/node'));
  await symlink(join(folder, 'checkout/tool'), join(folder, 'links/tool'));
});

afterAll(() => rm(folder, { recursive: true }));

/** Runs a tool where the first `node` on PATH is that of a folder. */
function run(tool: string, first: string, environment: Record<string, string> = {}) {
  const PATH = `${first}:/usr/bin:/bin`;
  return new Promise<{ code: unknown; stdout: string; stderr: string }>((resolve) => {
    const options = { env: { PATH, ...environment } };
    execFile(join(folder, tool), ['a  b', '', '$x'], options, (error, stdout, stderr) => {
      resolve({ code: error?.code ?? 0, stdout, stderr });
    });
  });
}

const said = (place: string) => ({
  code: 0,
  stdout: `${JSON.stringify(['a  b', '', '$x', 'function', place])}\n`,
  stderr: '',
});
const refused = {
  code: 1,
  stdout: '',
  stderr: expect.stringMatching(
    /^tool needs Node 24 or newer, and \S.* is (?:v\d+\.\d+\.\d+|missing or broken): install it, or set KEEL_NODE to the path of one\n$/,
  ),
};

test.each(['plain', 'commonjs', 'module'])(
  'it runs with the Node on PATH, copied to a folder that is %s',
  async (place) => {
    expect(await run(`${place}/tool`, NODE_FOLDER)).toEqual(said(place));
  },
);

test('where the Node on PATH is too old it says so and nothing else', async () => {
  expect(await run('plain/tool', join(folder, 'old'))).toEqual(refused);
});

test.each(['checkout/tool', 'links/tool'])('%s finds the Node that a checkout brings along', async (tool) => {
  expect(await run(tool, join(folder, 'old'))).toEqual(said('checkout'));
});

test('KEEL_NODE outranks what is on PATH', async () => {
  const old = join(folder, 'old');
  expect(await run('plain/tool', old, { KEEL_NODE: process.execPath })).toEqual(said('plain'));
  expect(await run('checkout/tool', NODE_FOLDER, { KEEL_NODE: join(old, 'node') })).toEqual(refused);
});
