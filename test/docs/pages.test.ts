import { spawnSync } from 'node:child_process';
import { existsSync, globSync, readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { parse } from 'yaml';
import { runPacker } from '../../src/cli/packer-dispatch.ts';
import { runSynctl } from '../../src/cli/synctl-dispatch.ts';
import { parseDocument } from '../../src/config/document.ts';
import { parseImageSet } from '../../src/config/image-set.ts';
import type { Notice } from '../../src/config/problem.ts';
import { parseVersions } from '../../src/config/versions.ts';
import { type Ending, EXIT } from '../../src/process/exit-code.ts';
import { readActionMetadata } from '../support/action-metadata.ts';
import {
  anchorsOf,
  commandsOf,
  linksOf,
  runsOf,
  type ShownCommand,
  type Snippet,
  shellLinesOf,
  snippetsOf,
  splitLine,
} from '../support/markdown-page.ts';
import { TerminalProcess } from '../support/terminal-process.ts';
import { lintWorkflow } from '../support/workflow-lint.ts';

const PAGES = globSync('{*.md,docs/**/*.md,bench/README.md,action-*/README.md}');
const SNIPPETS = PAGES.flatMap(snippetsOf);
const COMMANDS = PAGES.flatMap(commandsOf);

function place({ page, line }: { readonly page: string; readonly line: number }): string {
  return `${page}:${line}`;
}

test('a shown line is split as a shell does', () => {
  expect(splitLine(`a --b "c d" 'e'f=g   # h`)).toEqual([['a', '--b', 'c d', 'ef=g']]);
  expect(splitLine('a < secret.txt')).toEqual([['a']]);
  expect(splitLine('a "b | c" | d && e; f')).toEqual([['a', 'b | c'], ['d'], ['e'], ['f']]);
});

test.each(PAGES)('every line for a shell on %s is one that a shell reads', (page) => {
  for (const lines of shellLinesOf(page)) {
    const { stderr } = spawnSync('sh', ['-n'], {
      input: lines.map(({ text }) => text).join('\n'),
      encoding: 'utf8',
    });
    expect(stderr, lines.map(place).join(', ')).toBe('');
  }
});

/** Programs of others that pages may show. What a page says of one more has to be tried first. */
const OTHER_PROGRAMS = [
  'cat cd chmod cp date docker gh git helm kubeadm kubectl ln mkdir openssl podman sha256sum skopeo ss swapoff',
  'systemctl tail tar ctr grep head',
].flatMap((names) => names.split(' '));

test('pages show only programs that are known', () => {
  const ours = ['synctl', 'packer', 'make', 'install.sh'];
  const unknown = COMMANDS.filter(({ words: [name = ''] }) => ![...ours, ...OTHER_PROGRAMS].includes(name));
  expect(unknown.map((command) => `${place(command)} ${command.text}`)).toEqual([]);
});

test('every link between pages leads somewhere', () => {
  const broken = PAGES.flatMap((page) =>
    linksOf(page)
      .filter(({ path }) => !existsSync(path))
      .map(({ path }) => `${page}: ${path}`),
  );
  expect(broken).toEqual([]);
});

test('every link to a heading leads to one', () => {
  const broken = PAGES.flatMap((page) =>
    linksOf(page).flatMap(({ path, anchor }) =>
      anchor === undefined || !path.endsWith('.md') || anchorsOf(path).has(anchor)
        ? []
        : [`${page}: ${path}#${anchor}`],
    ),
  );
  expect(broken).toEqual([]);
});

/** The login is shown where it matters, and left out elsewhere. */
function processOf({ words, environment }: ShownCommand): TerminalProcess {
  const login = { KEEL_USERNAME: 'robot', KEEL_PASSWORD: 'secret' };
  return new TerminalProcess(words.slice(1), { ...login, ...environment }, 'secret\n');
}

const done = async (): Promise<Ending> => 'complete';

function isOf(...programs: string[]): ShownCommand[] {
  return COMMANDS.filter(({ words }) => programs.includes(words[0] ?? ''));
}

test.each(isOf('synctl').map((command) => [place(command), command.text, command] as const))(
  '%s shows a command that synctl understands: %s',
  async (_place, _text, command) => {
    const process = processOf(command);
    const code = await runSynctl(process, {
      sync: done,
      check: done,
      checkInstallation: done,
      doctor: done,
      images: done,
      sum: done,
      merge: done,
    });
    expect([code, process.stderr.written]).toEqual([EXIT.success, '']);
  },
);

test.each(isOf('packer').map((command) => [place(command), command.text, command] as const))(
  '%s shows a command that packer understands: %s',
  async (_place, _text, command) => {
    // Where a package goes needs logins, which pages leave to the environment.
    const environment = {
      KEEL_ACCESS_KEY: 'key',
      KEEL_SECRET_KEY: 'secret',
      KEEL_DOCKERHUB_USERNAME: 'me',
      KEEL_DOCKERHUB_PASSWORD: 'secret',
      KEEL_GITHUB_TOKEN: 'token',
      GITHUB_REPOSITORY: 'owner/name',
      ...command.environment,
    };
    const process = processOf({ ...command, environment });
    const code = await runPacker(process, { pack: done, push: done });
    expect([code, process.stderr.written]).toEqual([EXIT.success, '']);
  },
);

test('every target of make that a page shows exists', () => {
  const makefile = readFileSync('Makefile', 'utf8');
  const targets = new Set([...makefile.matchAll(/^([a-z-]+):/gm)].map(([, name]) => name));
  for (const command of isOf('make')) {
    for (const word of command.words.slice(1).filter((each) => !each.includes('='))) {
      expect(targets, `${place(command)} ${command.text}`).toContain(word);
    }
  }
});

test('every option of install.sh that a page shows exists', () => {
  const script = readFileSync('package/install/options.sh', 'utf8');
  const options = isOf('install.sh').flatMap(({ words }) => words.filter((word) => word.startsWith('--')));
  expect(options).not.toEqual([]);
  for (const option of options) expect(script).toContain(` ${option} `);
});

const KINDS: readonly (readonly [
  keys: readonly string[],
  read: (snippet: Snippet) => { readonly notices: readonly Notice[] },
])[] = [
  [
    ['kubernetes', 'cni', 'names', 'prefixes', 'extras', 'patches'],
    ({ page, text }) => parseImageSet(parseDocument(page, text)),
  ],
  [['images', 'components'], ({ page, text }) => parseVersions(parseDocument(page, text))],
];

test.each(
  SNIPPETS.filter(({ language }) => /^jsonc?$/.test(language)).map(
    (snippet) => [place(snippet), snippet] as const,
  ),
)('%s shows JSON that the tools take', (_place, snippet) => {
  // A sum that is left open on a page is one like any other.
  const text = snippet.text.replaceAll('"…"', `"${'0'.repeat(64)}"`);
  const { value, problems } = parseDocument(snippet.page, text);
  expect(problems).toEqual([]);
  const keys = typeof value === 'object' && value !== null ? Object.keys(value) : [];
  const [, read] = KINDS.find(([known]) => keys.some((key) => known.includes(key))) ?? [];
  const notices = read?.({ ...snippet, text }).notices.map(({ message }) => message) ?? [];
  // Of what pages recommend nothing is to be warned.
  expect(notices.filter((message) => message.includes('workflow'))).toEqual([]);
});

/** Pages show whole workflows, jobs without their names, lists of steps, and permissions with steps. */
function asWorkflow(shown: string): string {
  const [margin = ''] = /^ */.exec(shown) ?? [];
  const own = shown.replaceAll(new RegExp(`^${margin}`, 'gm'), '');
  // A step that reads the outputs of another is shown without it.
  const earlier = ['sync', 'pack'].filter((id) => own.includes(`steps.${id}.`) && !own.includes(`id: ${id}`));
  const text = `${earlier.map((id) => `- id: ${id}\n  uses: shipengqi/keel-pkg/action-${id}@v1\n`).join('')}${own}`;
  const indent = (by: number) => text.replaceAll(/^(?=.)/gm, ' '.repeat(by));
  if (/^on:/m.test(text)) return text;
  const head = 'name: page\non: workflow_dispatch\n';
  if (/^jobs:/m.test(text)) return `${head}${text}`;
  const job = `${head}jobs:\n  page:\n    runs-on: ubuntu-latest\n`;
  return text.startsWith('- ') ? `${job}    steps:\n${indent(6)}` : `${job}${indent(4)}`;
}

test.each(
  SNIPPETS.filter(({ language }) => language === 'yaml').map((snippet) => [place(snippet), snippet] as const),
)('%s shows YAML that a workflow takes, with inputs that our actions have', async (_place, snippet) => {
  const workflow = asWorkflow(snippet.text);
  // The linter knows neither our actions nor what "vars" a repository has.
  expect(await lintWorkflow(workflow, '.github/workflows/page.yml')).toEqual([]);
  const given = JSON.stringify(parse(workflow));
  for (const [, folder = '', inputs = ''] of given.matchAll(
    /"uses":"shipengqi\/keel-pkg\/(action-\w+)@v1","with":(\{[^{}]*(?:\{\{[^{}]*\}\}[^{}]*)*\})/g,
  )) {
    const metadata = await readActionMetadata(`${folder}/action.yml`);
    expect(Object.keys(metadata.inputs)).toEqual(expect.arrayContaining(Object.keys(JSON.parse(inputs))));
  }
});

test('only pages whose output a test prints show any', () => {
  // Each has a test of its own in this folder; translations are held to their originals.
  const tried = ['docs/cluster.md', 'docs/few-images.md', 'docs/synctl.md'];
  const showing = PAGES.filter((page) => runsOf(page).length > 0);
  const originals = new Set(showing.map((page) => page.replace('zh-CN/', '')));
  expect([...originals].toSorted()).toEqual(tried);
});

test('pages show a command and a step of every kind', () => {
  expect(isOf('synctl').length).toBeGreaterThan(10);
  expect(isOf('packer').length).toBeGreaterThan(3);
  expect(SNIPPETS.filter(({ language }) => language === 'yaml').length).toBeGreaterThan(8);
});
