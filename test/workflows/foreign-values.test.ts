import { spawnSync } from 'node:child_process';
import { chmodSync, cpSync, globSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { z } from 'zod';
import { snippetsOf } from '../support/markdown-page.ts';
import { describeWith } from '../support/programs.ts';
import { scratchFolder } from '../support/scratch-folder.ts';

const Environment = z.record(z.string(), z.union([z.string(), z.number(), z.boolean()]));
const Step = z
  .object({
    name: z.string().optional(),
    uses: z.string().optional(),
    run: z.string().optional(),
    env: Environment.optional(),
    with: z.record(z.string(), z.unknown()).optional(),
  })
  .loose();
type Step = z.infer<typeof Step>;
const Job = z.object({ env: Environment.optional(), steps: z.array(Step).default([]) }).loose();
const Workflow = z
  .object({ on: z.unknown(), env: Environment.optional(), jobs: z.record(z.string(), Job) })
  .loose();
const Action = z.object({ runs: z.object({ steps: z.array(Step).default([]) }).loose() }).loose();

interface PlacedStep {
  readonly place: string;
  readonly step: Step;
  /** What the workflow, the job and the step set, before GitHub fills it in. */
  readonly env: Readonly<Record<string, string | number | boolean>>;
}

const WORKFLOWS = globSync('.github/workflows/*.yml').toSorted();
const ACTIONS = globSync('{action-*,.github/actions/*,test/fixtures/actions/*}/action.yml').toSorted();
const PAGES = globSync('{*.md,docs/*.md,action-*/README.md}').toSorted();

function placed(where: string, steps: readonly Step[], env: PlacedStep['env']): PlacedStep[] {
  return steps.map((step, index) => ({
    place: `${where}, ${step.name ?? step.uses ?? `step ${index + 1}`}`,
    step,
    env: { ...env, ...step.env },
  }));
}

function stepsOfWorkflow(where: string, document: unknown): PlacedStep[] {
  const { env, jobs } = Workflow.parse(document);
  return Object.entries(jobs).flatMap(([name, job]) =>
    placed(`${where}, ${name}`, job.steps, { ...env, ...job.env }),
  );
}

/** Pages show whole workflows, jobs without their names, and lists of steps. */
function stepsOfPage(page: string): PlacedStep[] {
  const shown = snippetsOf(page).filter(({ language }) => language === 'yaml' || language === 'yml');
  return shown.flatMap(({ line, text }) => {
    const where = `${page}:${line}`;
    const document: unknown = parse(text);
    if (Array.isArray(document)) return placed(where, z.array(Step).parse(document), {});
    if (Workflow.safeParse(document).success) return stepsOfWorkflow(where, document);
    const { env, steps } = Job.parse(document);
    return placed(where, steps, env ?? {});
  });
}

const OURS = WORKFLOWS.flatMap((file) => stepsOfWorkflow(file, parse(readFileSync(file, 'utf8'))));
const STEPS = [
  ...OURS,
  ...ACTIONS.flatMap((file) => placed(file, Action.parse(parse(readFileSync(file, 'utf8'))).runs.steps, {})),
  ...PAGES.flatMap(stepsOfPage),
];
const SCRIPTS = STEPS.flatMap(({ place, step: { run } }): [string, string][] =>
  run === undefined ? [] : [[place, run]],
);

describe('what GitHub fills in', () => {
  test('is no part of a script: it gets there by the environment alone', () => {
    expect(SCRIPTS.length).toBeGreaterThan(15);
    expect(SCRIPTS.filter(([, run]) => run.includes('${{'))).toEqual([]);
    const scripts = STEPS.filter(({ step }) => typeof step.with?.['script'] === 'string');
    expect(scripts.filter(({ step }) => String(step.with?.['script']).includes('${{'))).toEqual([]);
  });

  test('sets no output and no variable of later steps, which a line break in it could do', () => {
    const writing = SCRIPTS.filter(([, run]) => /GITHUB_(?:OUTPUT|ENV|PATH|STATE)|::set-/.test(run));
    expect(writing).toEqual([]);
  });

  test('is never that of a stranger with the rights of this repository', () => {
    for (const file of WORKFLOWS) {
      const { on } = Workflow.parse(parse(readFileSync(file, 'utf8')));
      const events = z.union([z.string(), z.array(z.string()), z.record(z.string(), z.unknown())]).parse(on);
      const names =
        typeof events === 'string' ? [events] : Array.isArray(events) ? events : Object.keys(events);
      expect(names, file).not.toContain('pull_request_target');
      expect(names, file).not.toContain('workflow_run');
      expect(names, file).not.toContain('issue_comment');
    }
  });
});

/** The recipes of the Makefile, as make reads them: a line each, and those that go on in the next one joined. */
const RECIPES = readFileSync('Makefile', 'utf8')
  .replaceAll('\\\n', '')
  .split('\n')
  .flatMap((line, index): [number, string][] => (line.startsWith('\t') ? [[index + 1, line.slice(1)]] : []));
/** What make fills in that nobody gives: names of files in this repository, and a word that stands there. */
const OF_MAKE = /\$(?:@|\(SETUP\)|\(if \$\(licenses\),--licenses\))/g;

describe('a variable that is given to make', () => {
  test('is never filled into a recipe, but read from the environment', () => {
    const left = RECIPES.map(([line, recipe]): [number, string] => [
      line,
      recipe.replaceAll(OF_MAKE, '').replaceAll('$$', ''),
    ]);
    expect(left.filter(([, recipe]) => recipe.includes('$'))).toEqual([]);
    expect(RECIPES.length).toBeGreaterThan(25);
  });

  test('is data to make, too', () => {
    const makefile = readFileSync('Makefile', 'utf8');
    const given = [...makefile.matchAll(/^(\w+) \?=/gm)].map(([, name]) => name);
    expect(given).toEqual(['version', 'licenses', 'TESTS', 'OPTIONS']);
    for (const name of given) expect(makefile).toContain(`override ${name} := $(value ${name})\n`);
  });
});

describeWith(['shellcheck'], 'every variable in a script is quoted, as shellcheck sees it:', () => {
  // Runners end a script at the first failure; make exports what recipes read.
  const EXCLUDED = 'SC2164,SC2154';
  const check = (shell: string, script: string) =>
    spawnSync('shellcheck', ['--shell', shell, '--format', 'gcc', '--exclude', EXCLUDED, '-'], {
      input: script,
      encoding: 'utf8',
    }).stdout;

  test('shellcheck finds one that is not', () => {
    expect(check('bash', 'make $TAG\n')).toContain('SC2086');
    expect(check('bash', 'for each in $TAGS; do echo "$each"; done\n')).toBe('');
  });

  test.each(SCRIPTS)('%s', (_place, run) => {
    expect(check('bash', run)).toBe('');
    // The one place where shellcheck takes a variable without quotes.
    expect(run).not.toMatch(/\bin [^;\n]*\$(?!\()/);
  });

  test.each(RECIPES.map(([line, recipe]): [string, string] => [`Makefile:${line}`, recipe]))(
    '%s',
    (_place, recipe) => {
      const script = recipe.replace(/^@/, '').replaceAll(OF_MAKE, 'word').replaceAll('$$', '$');
      expect(check('sh', script)).toBe('');
    },
  );

  test.each(
    PAGES.flatMap(snippetsOf)
      .filter(({ language }) => language === 'sh' || language === 'bash')
      .map((snippet): [string, string] => [`${snippet.page}:${snippet.line}`, snippet.text]),
  )('%s', (_place, text) => {
    expect(check('bash', text)).toBe('');
  });
});

/** What a tag, an input, an output or the name of a file could be. Each would make a file called pwned, or be an option. */
const DOLLAR = '$';
/** A space, where none may be. */
const SPACE = `${DOLLAR}{IFS}`;
const HOSTILE = [
  '$(touch pwned)',
  '`touch pwned`',
  '"; touch pwned; "',
  "'; touch pwned; '",
  '; touch pwned #',
  '| touch pwned',
  '&& touch pwned',
  '$(shell touch pwned)',
  '$$(touch pwned)',
  `${DOLLAR}{TAG:=$(touch pwned)}`,
  `v1.2.3-$(touch${SPACE}pwned)`,
  `v1.2.3-\`touch${SPACE}pwned\``,
  `v1.2.3-$(shell${SPACE}touch${SPACE}pwned)`,
  `v1.2.3-";touch${SPACE}pwned;"`,
  `v1.2.3-';touch${SPACE}pwned;'`,
  'v1.2.3\ntouch pwned',
  'v1.2.3\n--eval=$(shell touch pwned)',
  'a[$(touch pwned)]',
  '--eval=$(shell touch pwned)',
  '-ftouch',
  '--help',
  '-n',
  '* ?',
  '',
];

const GIVEN = OURS.filter(
  ({ step, env }) =>
    step.run !== undefined && Object.values(env).some((value) => String(value).includes('${{')),
);

/** A checkout with stand-ins for all programs that are not the shell's own; make and the scripts are the real ones. */
class Checkout {
  readonly folder = scratchFolder();
  readonly #said = join(this.folder, 'said');

  constructor() {
    for (const path of ['Makefile', 'scripts', 'CHANGELOG.md', 'package-lock.json'])
      cpSync(path, join(this.folder, path), { recursive: true });
    const bin = join(this.folder, 'node_modules/.bin');
    mkdirSync(bin, { recursive: true });
    writeFileSync(join(this.folder, 'node_modules/.keel-setup'), '');
    const stand = `#!/bin/sh\n{ printf '%s\\0' "\${0##*/}" "$@" && echo; } >>'${this.#said}'\n`;
    const programs = ['git', 'gh', 'jq', 'node', 'npm', 'tsc', 'vitest', 'skopeo', 'tar'].map((name) =>
      join(bin, name),
    );
    for (const program of [...programs, join(this.folder, 'synctl'), join(this.folder, 'packer')]) {
      writeFileSync(program, stand);
      chmodSync(program, 0o755);
    }
  }

  /** Runs a script as a runner does, with a value in place of everything that GitHub would fill in. */
  run({ step, env }: PlacedStep, value: string): { status: number | null; calls: string[][] } {
    const filled = Object.entries(env).map(([name, set]): [string, string] => [
      name,
      String(set).replaceAll(/\$\{\{.*?\}\}/g, () => value),
    ]);
    writeFileSync(this.#said, '');
    const { status } = spawnSync(
      'bash',
      ['--noprofile', '--norc', '-e', '-o', 'pipefail', '-c', step.run ?? ''],
      {
        cwd: this.folder,
        env: {
          PATH: `${join(this.folder, 'node_modules/.bin')}:${process.env['PATH'] ?? ''}`,
          RUNNER_TEMP: join(this.folder, 'temp'),
          ...Object.fromEntries(filled),
        },
      },
    );
    const lines = readFileSync(this.#said, 'utf8').split('\0\n').slice(0, -1);
    return { status, calls: lines.map((line) => line.split('\0')) };
  }

  /** Returns the files whose names say that a value was run. */
  pwned(): string[] {
    return readdirSync(this.folder, { recursive: true, encoding: 'utf8' }).filter((path) =>
      path.includes('pwned'),
    );
  }
}

describe('a hostile value is run by no step of ours that it reaches', () => {
  test('there are such steps', () => {
    expect(GIVEN.map(({ place }) => place.replace('.github/workflows/', ''))).toEqual([
      'ci.yml, action-sync, Compare what both told with what is there',
      'ci.yml, action-pack, Look into the package',
      'ci.yml, ci-ok, Every job succeeded',
      'release.yml, build, The tag is a version',
      'release.yml, build, The tag is of main, and the changelog knows it',
      'release.yml, build, Build',
      'release.yml, publish, Release',
      'release.yml, publish, Move the tag of the major version',
      'tables.yml, propose, Propose',
    ]);
  });

  test.each(GIVEN.map((given): [string, PlacedStep] => [given.place, given]))('%s', (_place, given) => {
    const checkout = new Checkout();
    for (const value of HOSTILE) {
      checkout.run(given, value);
      expect(checkout.pwned(), value).toEqual([]);
    }
  });

  test('a tag that is no version ends a release before anything reads it', () => {
    const [first, ...others] = GIVEN.filter(({ place }) => place.includes('release.yml'));
    const checkout = new Checkout();
    if (first === undefined) throw new Error('there is no such step');
    for (const value of HOSTILE) expect(checkout.run(first, value).status, value).toBe(1);
    for (const value of ['v1.2.3', 'v10.0.1-rc.1']) expect(checkout.run(first, value).status, value).toBe(0);
    expect(others).toHaveLength(4);
  });

  test('a tag is no option of gh', () => {
    const release = GIVEN.find(({ place }) => place.endsWith('publish, Release'));
    const checkout = new Checkout();
    writeFileSync(join(checkout.folder, 'SHA256SUMS'), `${'a1'.repeat(32)}  x\n`);
    writeFileSync(join(checkout.folder, 'node_modules/.bin/sha256sum'), '#!/bin/sh\n', { mode: 0o755 });
    if (release === undefined) throw new Error('there is no such step');
    const { calls } = checkout.run(release, '--notes=x');
    const gh = calls.find(([program]) => program === 'gh') ?? [];
    expect(gh.slice(gh.indexOf('--'), gh.indexOf('--') + 2)).toEqual(['--', '--notes=x']);
  });
});

describe('a hostile value is run by no target of make', () => {
  const make = (
    checkout: Checkout,
    target: string,
    name: string,
    value: string,
    given: 'argument' | 'environment',
  ) =>
    checkout.run(
      {
        place: '',
        step: { run: given === 'argument' ? `make ${target} ${name}="$VALUE"` : `make ${target}` },
        env: { [given === 'argument' ? 'VALUE' : name]: `${DOLLAR}{{ value }}` },
      },
      value,
    );

  test.each([
    ['build', 'version'],
    ['build', 'licenses'],
    ['build-sync', 'version'],
    ['build-pack', 'version'],
    ['test', 'TESTS'],
    ['fuzz', 'OPTIONS'],
    ['soak', 'OPTIONS'],
    ['bench-noop', 'OPTIONS'],
  ])('%s, with %s', (target, name) => {
    const checkout = new Checkout();
    // It would install what tests need besides.
    writeFileSync(join(checkout.folder, 'scripts/test-peers.sh'), '');
    for (const value of HOSTILE) {
      for (const given of ['argument', 'environment'] as const) {
        const { calls } = make(checkout, target, name, value, given);
        expect(checkout.pwned(), value).toEqual([]);
        if (name === 'version') {
          const build = calls.find((call) => call.includes('build/scripts/build-cli.js')) ?? [];
          expect(build.slice(build.indexOf('--version') + 1)[0]).toBe(value);
        }
      }
    }
  });

  test.each([
    ['test', ['vitest', 'run']],
    ['fuzz', ['node', 'build/test/hostile/fuzz.js']],
    ['soak', ['node', 'build/bench/soak.js']],
    ['bench-noop', ['node', 'build/bench/run.js', '--part', 'noop']],
  ])('%s runs without any, also where xargs takes no empty input', (target, call) => {
    const checkout = new Checkout();
    writeFileSync(join(checkout.folder, 'scripts/test-peers.sh'), '');
    const xargs = join(checkout.folder, 'node_modules/.bin/xargs');
    writeFileSync(xargs, '#!/bin/sh\nexec /usr/bin/xargs -r "$@"\n', { mode: 0o755 });
    const { status, calls } = make(checkout, target, 'OPTIONS', '', 'argument');
    expect([status, calls.at(-1)]).toEqual([0, call]);
  });

  test('words within quotes stay together', () => {
    const checkout = new Checkout();
    const { calls } = make(checkout, 'fuzz', 'OPTIONS', `--seed 1 --only "an image set"`, 'argument');
    expect(calls.at(-1)).toEqual([
      'node',
      'build/test/hostile/fuzz.js',
      '--seed',
      '1',
      '--only',
      'an image set',
    ]);
  });
});
