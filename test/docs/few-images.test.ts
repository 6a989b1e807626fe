import { expect, test } from 'vitest';
import { parse } from 'yaml';
import { Desk } from '../support/built-synctl.ts';
import { DURATION_TEXT } from '../support/duration-text.ts';
import { commandsOf, runsOf, snippetsOf, tablesOf } from '../support/markdown-page.ts';
import { type PublicRegistries, startPublicRegistries } from '../support/public-registries.ts';
import { PUBLIC_REGISTRIES_AUTHORITY_FILE } from '../support/test-authority.ts';

const PAGE = 'docs/few-images.md';
const [SET] = snippetsOf(PAGE).filter(({ language }) => language === 'json');
/** The login at Docker Hub as the page writes it, one a line. */
const LOGINS = /`(docker\.io USERNAME TOKEN)`/.exec(tablesOf(PAGE).flat(2).join('\n'))?.[1] ?? '';
const DESTINATION = { username: 'robot', password: 'a-good-password' };

interface Stage extends PublicRegistries {
  readonly desk: Desk;
}

/** Sets someone down who has a login at the destination, and none at Docker Hub yet. */
async function setStage(): Promise<Stage> {
  const [, username = '', password = ''] = LOGINS.split(' ');
  const registries = await startPublicRegistries({
    hub: [{ username, password }],
    destination: [DESTINATION],
  });
  const desk = new Desk(DESTINATION);
  desk.set('HTTPS_PROXY', registries.proxy.url);
  desk.set('NODE_EXTRA_CA_CERTS', PUBLIC_REGISTRIES_AUTHORITY_FILE);
  return { ...registries, desk };
}

function plain(lines: readonly string[]): string[] {
  return lines
    .filter((line) => line !== '')
    .map((line) => line.replaceAll(DURATION_TEXT, 'SPENT').replaceAll(/ +/g, ' '));
}

test('the commands of the page mirror its images, with a login at Docker Hub', async () => {
  await using stage = await setStage();
  const { hub, destination, desk } = stage;
  const [doctor, ...others] = commandsOf(PAGE).filter(({ words }) => words[0] === 'synctl');
  const refused = await desk.run(...line(doctor?.words ?? []));
  expect(refused.stdout).toContain('there is no login for it');
  desk.set('KEEL_REGISTRY_LOGINS', LOGINS);
  for (const command of [doctor, others[0]]) {
    const said = await desk.run(...line(command?.words ?? []));
    expect({ code: said.code, err: said.stderr }, said.stdout).toEqual({ code: 0, err: '' });
  }
  expect([...destination.storage.repositories.values()].flatMap(({ tags }) => [...tags.keys()])).toEqual([]);

  hub.journal.clear();
  const runs = runsOf(PAGE);
  // For each of three images one manifest for the index and one for each of two platforms; then none.
  const pulls = [9, 0];
  expect(runs).toHaveLength(pulls.length);
  for (const [index, run] of runs.entries()) {
    const said = await desk.run(...line(run.words));
    expect({ code: said.code, err: said.stderr }).toEqual({ code: 0, err: '' });
    const printed = plain(said.stdout.split('\n'));
    expect(printed).toEqual(expect.arrayContaining(plain(run.output).filter((text) => text !== '…')));
    expect(hub.journal.count('manifest-get')).toBe(pulls[index]);
    hub.journal.clear();
  }

  const rows = tablesOf(PAGE).find(([head = []]) => head[0] === 'Source') ?? [];
  const names = rows
    .slice(1)
    .map(([from = '', to = '']) => [from, to].map((cell) => cell.replaceAll('`', '')));
  expect(names.map(([from]) => from)).toEqual(runs[0]?.words.filter((word) => /:[v\d]/.test(word)));
  for (const [, to = ''] of names) {
    const [, repository = '', tag = ''] = /^registry\.example\.com\/(.+):(.+)$/.exec(to) ?? [];
    expect(destination.storage.manifest(repository, tag), to).toBeDefined();
  }
});

test('the workflow of the page lists the images of its table, in words that the action reads', () => {
  const [workflow] = snippetsOf(PAGE).filter(({ language }) => language === 'yaml');
  const { jobs } = parse(workflow?.text ?? '');
  const [step] = jobs.mirror.steps;
  const rows = tablesOf(PAGE).find(([head = []]) => head[0] === 'Source') ?? [];
  expect(step.with.images.trim().split('\n')).toEqual(
    rows.slice(1).map(([from]) => from?.replaceAll('`', '')),
  );
});

test('the image set of the page has the tags and the name that it says', async () => {
  await using stage = await setStage();
  const { destination, desk } = stage;
  desk.set('KEEL_REGISTRY_LOGINS', LOGINS);
  desk.write('image_set.json', SET?.text ?? '');
  const said = await desk.run('sync', '--push-to', 'registry.example.com', '--push-ns', 'mirror');
  expect({ code: said.code, err: said.stderr }).toEqual({ code: 0, err: '' });
  const tags = Object.fromEntries(
    [...destination.storage.repositories].map(([name, { tags: found }]) => [
      name,
      [...found.keys()].toSorted(),
    ]),
  );
  expect(tags).toEqual({ 'mirror/nginx': ['1.27.5', '1.28.1', '1.29.4'], 'mirror/coreos-etcd': ['v3.6.6'] });
});

function line([, command = '', ...rest]: readonly string[]): [string, ...string[]] {
  return [command, ...rest];
}
