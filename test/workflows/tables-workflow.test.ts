import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { z } from 'zod';
import { scratchFolder } from '../support/scratch-folder.ts';
import { stepsOf } from '../support/workflow.ts';

const FILE = '.github/workflows/tables.yml';
const Workflow = z.object({
  on: z.object({ schedule: z.array(z.object({ cron: z.string() })), workflow_dispatch: z.null() }),
  permissions: z.record(z.string(), z.string()),
  jobs: z.record(z.string(), z.object({ permissions: z.record(z.string(), z.string()) }).loose()),
});

test('it starts once a week and by hand', () => {
  const { on } = Workflow.parse(parse(readFileSync(FILE, 'utf8')));
  expect(on).toEqual({
    schedule: [{ cron: expect.stringMatching(/^\d+ \d+ \* \* \d$/) }],
    workflow_dispatch: null,
  });
});

test('what upstream says is run where nothing can be changed, and what can change something runs none of it', () => {
  const { permissions, jobs } = Workflow.parse(parse(readFileSync(FILE, 'utf8')));
  expect(permissions).toEqual({});
  expect(Object.keys(jobs)).toEqual(['ask', 'propose']);
  expect(jobs['ask']?.permissions).toEqual({ contents: 'read' });
  expect(JSON.stringify(jobs['ask'])).not.toContain('token');
  expect(jobs['propose']?.permissions).toEqual({ contents: 'write', 'pull-requests': 'write' });
  const runs = stepsOf(FILE, 'propose').flatMap(({ run }) => run ?? []);
  expect(runs).toEqual(['sh scripts/propose-tables.sh "$RUNNER_TEMP/tables"']);
});

test('what npm prints while it installs is no part of the difference', () => {
  const runs = stepsOf(FILE, 'ask').flatMap(({ run }) => run ?? []);
  const asking = runs.findIndex((run) => run.includes('make tables | tee'));
  expect(asking).toBeGreaterThan(0);
  expect(runs.slice(0, asking)).toContain('make compile');
});

/** A repository at a server, with a checkout of it, and a stand-in for gh that knows one open pull request or none. */
class Repository {
  readonly #folder = scratchFolder();
  readonly #server = join(this.#folder, 'server.git');
  readonly checkout = join(this.#folder, 'checkout');
  readonly #said = join(this.#folder, 'said');
  /** The number of the pull request that is open. */
  open = '';
  /** What the last proposal printed. */
  printed = '';

  constructor() {
    this.#git(this.#folder, 'init', '--quiet', '--bare', '--initial-branch=main', this.#server);
    this.#git(this.#folder, 'clone', '--quiet', this.#server, this.checkout);
    mkdirSync(join(this.#folder, 'bin'));
    const gh = `#!/bin/sh
printf '%s\\n' "$*" >>'${this.#said}'
if [ "$1 $2" = 'pr list' ]; then printf '%s' "$OPEN"; fi
`;
    writeFileSync(join(this.#folder, 'bin/gh'), gh, { mode: 0o755 });
    this.commit('first\n');
  }

  /** Commits a table to the branch main at the server. */
  commit(table: string): void {
    this.#git(this.checkout, 'checkout', '--quiet', '-B', 'main');
    writeFileSync(join(this.checkout, 'table.ts'), table);
    this.#git(this.checkout, 'add', '--all');
    this.#git(
      this.checkout,
      '-c',
      'user.name=a',
      '-c',
      'user.email=a@example.com',
      'commit',
      '--quiet',
      '-m',
      'A table',
    );
    this.#git(this.checkout, 'push', '--quiet', 'origin', 'main');
  }

  /** Proposes another table, as the workflow does in a fresh checkout, and returns what gh was told. */
  propose(table: string, difference: string): string[] {
    const given = join(this.#folder, 'given');
    mkdirSync(given, { recursive: true });
    this.#git(this.checkout, 'checkout', '--quiet', 'main');
    writeFileSync(join(this.checkout, 'table.ts'), table);
    writeFileSync(join(given, 'tables.patch'), this.#git(this.checkout, 'diff', '--binary'));
    writeFileSync(join(given, 'difference.txt'), difference);
    this.#git(this.checkout, 'checkout', '--quiet', 'table.ts');
    writeFileSync(this.#said, '');
    this.printed = execFileSync('sh', [resolve('scripts/propose-tables.sh'), given], {
      encoding: 'utf8',
      cwd: this.checkout,
      env: {
        ...process.env,
        PATH: `${this.#folder}/bin:${process.env['PATH']}`,
        BASE: 'main',
        OPEN: this.open,
      },
    });
    this.#git(this.checkout, 'checkout', '--quiet', '-B', 'main', 'origin/main');
    return readFileSync(this.#said, 'utf8')
      .split('\n')
      .filter((line) => line.startsWith('pr '))
      .map((line) => line.replace(given, 'GIVEN'));
  }

  /** The text of the pull request. */
  text(): string {
    return readFileSync(join(this.#folder, 'given/body.md'), 'utf8');
  }

  /** Returns what a command of git tells about the server. */
  server(...command: readonly string[]): string {
    return this.#git(this.#server, ...command);
  }

  #git(cwd: string, ...command: readonly string[]): string {
    return execFileSync('git', command, { cwd, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });
  }
}

const TITLE = 'Add what upstream has released to the tables';
const ASKED = 'pr list --head tables --base main --state open --json number --jq .[0].number // empty';
const CREATED = `pr create --head tables --base main --title ${TITLE} --body-file GIVEN/body.md`;

describe('the difference', () => {
  test('is a commit of the branch "tables" and a pull request, with what changed in words', () => {
    const repository = new Repository();
    const difference = 'kubeadm 1.38.0: etcd 3.7.3-0\nCNI plugins 1.10.0 in place of 1.9.1\n';
    expect(repository.propose('second\n', difference)).toEqual([ASKED, CREATED]);
    expect(repository.server('show', 'tables:table.ts')).toBe('second\n');
    expect(repository.server('log', '--format=%an: %B', 'main..tables').trim()).toBe(
      `github-actions[bot]: ${TITLE}\n\n${difference.trim()}`,
    );
    expect(repository.text()).toContain(
      '\n- kubeadm 1.38.0: etcd 3.7.3-0\n- CNI plugins 1.10.0 in place of 1.9.1\n',
    );
  });

  test('of the next week takes the place of an open one, and is based on what main is then', () => {
    const repository = new Repository();
    repository.propose('second\n', 'one\n');
    repository.open = '7';
    repository.commit('first, and more\n');
    expect(repository.propose('third\n', 'two\n')).toEqual([
      ASKED,
      `pr edit 7 --title ${TITLE} --body-file GIVEN/body.md`,
    ]);
    expect(repository.server('show', 'tables:table.ts')).toBe('third\n');
    expect(repository.server('log', '--format=%b', 'main..tables').trim()).toBe('two');
  });

  test('that is proposed already leaves the branch alone, and checks that ran for it count on', () => {
    const repository = new Repository();
    repository.propose('second\n', 'one\n');
    expect(repository.printed).toBe('');
    repository.open = '7';
    repository.propose('second\n', 'one\n');
    expect(repository.printed).toBe('the branch tables has that already\n');
    repository.propose('third\n', 'one\n');
    expect(repository.printed).toBe('');
  });

  test('is run by nobody, whatever stands in it', () => {
    const repository = new Repository();
    repository.propose('second\n', '$(touch pwned)`touch pwned`\n"; touch pwned; "\n');
    expect(existsSync(join(repository.checkout, 'pwned'))).toBe(false);
    expect(repository.text()).toContain('- $(touch pwned)`touch pwned`\n');
  });
});
