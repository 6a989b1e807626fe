import { afterAll, beforeAll, expect, test } from 'vitest';
import { Desk } from '../support/built-synctl.ts';
import { DURATION_TEXT } from '../support/duration-text.ts';
import { fillRegistry } from '../support/images/fill.ts';
import { KUBERNETES_SET } from '../support/images/kubernetes-set.ts';
import { runsOf, type ShownRun, snippetsOf } from '../support/markdown-page.ts';
import { startRegistry, type TestRegistry } from '../support/registry/registry.ts';

const PAGE = 'docs/synctl.md';
const USER = 'keel';
const PASSWORD = 'a-good-password';

let source: TestRegistry;
let destination: TestRegistry;

beforeAll(async () => {
  source = await startRegistry({ tls: false });
  destination = await startRegistry({ tls: false, access: { mode: 'bearer', users: { [USER]: PASSWORD } } });
  await fillRegistry(source, KUBERNETES_SET);
});

afterAll(async () => {
  await Promise.all([source.close(), destination.close()]);
});

/**
 * Returns lines without what differs from run to run: hosts, times, the order in which images are ready, and which of those
 * that share a layer brings it.
 */
function stable(lines: readonly string[]): string[] {
  const plain = lines
    .filter((line) => line !== '')
    .map((line) =>
      line
        .replaceAll(source.host, '127.0.0.1:5000')
        .replaceAll(destination.host, '127.0.0.1:5001')
        .replaceAll(DURATION_TEXT, 'SPENT')
        .replaceAll(/\d{4}-\d\d-\d\d \d\d:\d\d/g, 'TIME')
        .replaceAll(/ +/g, ' ')
        .trim()
        .replace(/^[\d.]+ KiB SPENT /, 'SIZE SPENT '),
    );
  return plain.toSorted();
}

/** Runs a command of the page between the two registries, in the folder of the desk. Returns the lines that it prints. */
async function lines(desk: Desk, { words, environment, tail }: ShownRun): Promise<string[]> {
  const [, command = '', ...rest] = words;
  desk.set('KEEL_PASSWORD', environment['KEEL_PASSWORD'] ?? PASSWORD);
  const route = ['--source', source.host, '--push-to', destination.host, '--push-ns', 'readme'];
  const said = await desk.run(command, ...rest, ...(['merge', 'images'].includes(command) ? [] : route));
  const out = said.stdout.trimEnd().split('\n');
  const err = said.stderr.trimEnd().split('\n');
  return tail === undefined ? [...out, ...err] : out.slice(-tail);
}

test('all output on the page of synctl is what its commands print', async () => {
  const desk = new Desk({ username: USER, password: PASSWORD });
  const [set, kubernetes] = snippetsOf(PAGE).filter(({ language }) => language === 'json');
  desk.write('image_set.json', set?.text ?? '');
  desk.write('kubernetes.json', kubernetes?.text ?? '');
  desk.write('images.txt', snippetsOf(PAGE).find(({ language }) => language === 'text')?.text ?? '');
  const runs = runsOf(PAGE);
  expect(runs.length).toBeGreaterThan(8);
  for (const run of runs) {
    const printed = await lines(desk, run);
    expect.soft(stable(printed), `${PAGE}:${run.line} ${run.text}`).toEqual(stable(run.output));
  }
});
