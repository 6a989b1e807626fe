import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { copyFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { expect, it } from 'vitest';
import { Desk } from '../support/built-synctl.ts';
import { commandsOf } from '../support/markdown-page.ts';

const PROGRAM = 'build/scripts/try.js';

/** Starts the registries of `make try` on free ports. Returns their hosts, and the lines that it prints. */
async function startTry() {
  const child = spawn(process.execPath, [PROGRAM, '0', '0'], { stdio: ['ignore', 'pipe', 'inherit'] });
  const lines: string[] = [];
  for await (const line of createInterface(child.stdout)) {
    lines.push(line);
    if (line.startsWith('Ctrl-C')) break;
  }
  const hosts = lines.flatMap((line) => /^(127\.0\.0\.1:\d+) /.exec(line)?.[1] ?? []);
  const end = async (): Promise<unknown> => {
    const ended = once(child, 'exit');
    child.kill('SIGINT');
    return (await ended)[0];
  };
  return { hosts, lines, end };
}

it('the first trial of the README is green, and needs nothing but this machine', async () => {
  const { hosts, lines, end } = await startTry();
  try {
    const [source = '', destination = ''] = hosts;
    const commands = commandsOf('README.md').filter(
      ({ words }) => words[0] === 'synctl' && words.includes('127.0.0.1:5002'),
    );
    expect(commands.length).toBeGreaterThan(0);
    const desk = new Desk();
    for (const { text, words } of commands) {
      const own = words.map((word) =>
        word.replaceAll('127.0.0.1:5001', source).replaceAll('127.0.0.1:5002', destination),
      );
      const file = own[own.indexOf('--image-set') + 1] ?? '';
      if (own.includes('--image-set')) copyFileSync(file, join(desk.folder, 'set.json'));
      const [, command = '', ...rest] = own.map((word) => (word === file ? 'set.json' : word));
      const { code, stdout, stderr } = await desk.run(command, ...rest);
      expect({ code, stderr }, text).toEqual({ code: 0, stderr: '' });
      expect(stdout).toMatch(/\n\d+ copied \([\d.]+ [KM]iB\) in /);
      const shown = text
        .replace(/ +#.*$/, '')
        .replaceAll('127.0.0.1:5001', source)
        .replaceAll('127.0.0.1:5002', destination);
      expect(lines.map((line) => line.trim())).toContain(shown);
    }
  } finally {
    expect(await end()).toBe(0);
  }
});

it('a second trial at the same time says which port is taken', async () => {
  const { hosts, end } = await startTry();
  try {
    const port = hosts[0]?.split(':')[1] ?? '';
    const second = spawnSync(process.execPath, [PROGRAM, port, '0'], { encoding: 'utf8' });
    expect([second.status, second.stderr]).toEqual([
      1,
      `cannot listen on 127.0.0.1:${port}: end the program that uses this port\n`,
    ]);
  } finally {
    await end();
  }
});
