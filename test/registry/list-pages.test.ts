import { expect, it } from 'vitest';
import { HttpFailure } from '../../src/lib/http/http-failure.ts';
import { LIST_LIMITS, type ListLimits, readPages } from '../../src/registry/list-pages.ts';
import { answerOf } from '../support/http-answer.ts';

const ENDPOINT = new URL('https://a.example/');
const FIRST = new URL('/v2/a/tags/list?n=1000', ENDPOINT);

/** A list at the test's registry. Each page lists its own address, unless `bodies` says otherwise. */
function listOf(
  links: readonly (string | undefined)[],
  { limits = LIST_LIMITS, bodies }: { limits?: ListLimits; bodies?: (page: number) => string } = {},
) {
  const asked: string[] = [];
  const send = async (url: URL) => {
    const link = links[asked.length];
    asked.push(url.href);
    const body = bodies?.(asked.length) ?? url.href;
    return answerOf(url, link === undefined ? {} : { link }, { body });
  };
  const list = {
    first: FIRST,
    about: 'a.example/a',
    limits,
    send,
    parse: (body: Buffer) => body.toString(),
    entriesOf: (page: string) => page.split(' ').filter((name) => name !== ''),
    attempt: <Result>(operation: () => Promise<Result>) => operation(),
  };
  return { asked, list };
}

/** Reads a list whose pages have these Link headers in turn, then none; returns the pages by their addresses. */
async function pagesOf(links: readonly (string | undefined)[], limits: ListLimits = LIST_LIMITS) {
  const { list } = listOf(links, { limits });
  return [...(await readPages(list, ENDPOINT)).pages];
}

/** A Link to another address on every page. */
const GROWING = Array.from({ length: 50 }, (_, page) => `</v2/a/tags/list?last=${page}>; rel="next"`);

it.each([
  ['</v2/a/tags/list?last=x&n=2>; rel="next"', 'https://a.example/v2/a/tags/list?last=x&n=2'],
  ['</v2/a>; rel=next', 'https://a.example/v2/a'],
  ['<?last=x>; rel=next', 'https://a.example/v2/a/tags/list?last=x'],
  ['<https://a.example/x,y>; title="a"; rel="next"', 'https://a.example/x,y'],
  ['</first>; rel="first", </second>; rel="next"', 'https://a.example/second'],
  ['</x>; REL = "Next"', 'https://a.example/x'],
  ['</x>; rel="prev"', undefined],
  ['x; rel="next"', undefined],
  ['', undefined],
  [undefined, undefined],
])('the page after one with the header %j is %j', async (link, next) => {
  expect(await pagesOf([link])).toEqual([FIRST.href, ...(next === undefined ? [] : [next])]);
});

it('ends with a page that comes again', async () => {
  const again = `<${FIRST.href}>; rel="next"`;
  const { list } = listOf(['</x>; rel="next"', again]);
  expect(await readPages(list, ENDPOINT)).toEqual({
    pages: [FIRST.href, 'https://a.example/x'],
    isCircular: true,
  });
});

it.each<[string, (page: number) => string, number]>([
  ['lists what was listed before', (page) => `a b ${page < 4 ? page : 3}`, 4],
  ['lists nothing, again and again', () => '', 11],
])('a list without end is ended by a page that %s', async (_, bodies, requests) => {
  const { list, asked } = listOf(GROWING, { bodies });
  expect((await readPages(list, ENDPOINT)).isCircular).toBe(true);
  expect(asked).toHaveLength(requests);
});

/** Links of 2,500 pages, each to another address. */
const LONG = Array.from({ length: 2500 }, (_, page) => `</v2/a/tags/list?last=${page}>; rel="next"`);
/** Returns the names on a page: so many of its own, and those of the page before it. */
const namesOn = (page: number, own: number, others: number) =>
  [...Array(own + others).keys()].map((name) => `v${page * own + name - others}`).join(' ');

it.each<[string, (page: number) => string]>([
  ['one new name on each page', (page) => namesOn(page, 1, 0)],
  ['one new name and 999 known ones on each page', (page) => namesOn(page, 1, 999)],
])('a list without end that brings %s is refused soon', async (_, bodies) => {
  const { list, asked } = listOf(LONG, { bodies });
  await expect(readPages(list, ENDPOINT)).rejects.toMatchObject({
    code: 'REGISTRY_BROKEN',
    about: 'a.example/a',
    message: expect.stringMatching(/its list does not end after \d+ pages/),
    hint: expect.stringContaining('no real list is that long'),
  });
  expect(asked.length).toBeLessThan(1250);
});

it.each<[string, number, (page: number) => string]>([
  ['with one name on each page', 600, (page) => namesOn(page, 1, 0)],
  ['with one new name on each page, and nine that are known', 600, (page) => namesOn(page, 1, 9)],
  [
    'with nine empty pages before each of two names',
    2400,
    (page) => (page % 10 === 0 ? namesOn(page, 2, 0) : ''),
  ],
  [
    'that lists all on ten pages, and then all again',
    300,
    (page) => (page < 10 ? namesOn(page, 60, 0) : `v599 v${page}`),
  ],
])('a list that is odd and has an end is read to it: one %s', async (_, length, bodies) => {
  const { list } = listOf(LONG.slice(0, length - 1), { bodies });
  const { pages, isCircular } = await readPages(list, ENDPOINT);
  expect([pages.length, isCircular]).toEqual([length, false]);
});

it('a list of 125,000 names in pages of 50 is read to its end', async () => {
  const { list } = listOf(LONG.slice(1), { bodies: (page) => namesOn(page, 50, 0) });
  const { pages, isCircular } = await readPages(list, ENDPOINT);
  expect([pages.length, isCircular]).toEqual([2500, false]);
});

it('goes on behind a page from which all was left out', async () => {
  const { list } = listOf(GROWING.slice(0, 2), { bodies: (page) => (page === 2 ? '' : `${page}`) });
  expect(await readPages(list, ENDPOINT)).toEqual({ pages: ['1', '', '3'], isCircular: false });
});

/** Answers the requests of a list with these statuses in turn, then with a page. */
function refusing(statuses: readonly number[], links: readonly (string | undefined)[] = []) {
  const { list, asked } = listOf(links);
  const send = async (url: URL) => {
    const status = statuses[asked.length] ?? 200;
    if (status === 200) return list.send(url);
    asked.push(url.href);
    const code = status === 404 ? 'NOT_FOUND' : 'REGISTRY_REFUSED';
    throw new HttpFailure({ code, about: 'a.example/a', message: `the registry answered ${status}`, status });
  };
  return { asked, list: { ...list, send } };
}

it.each([404, 403, 401, 400])('a refusal (%i) of a later page is no answer to the first', async (status) => {
  const { list, asked } = refusing([200, status], GROWING);
  await expect(readPages(list, ENDPOINT)).rejects.toMatchObject({
    code: 'LIST_INCOMPLETE',
    message: expect.stringContaining('page 2 of its list is refused, although'),
  });
  expect(asked).toHaveLength(2);
});

it.each([400, 405, 406, 414, 416, 422, 501])(
  'a size of pages that is refused (%i) is not asked for again',
  async (status) => {
    const { list, asked } = refusing([status]);
    expect((await readPages(list, ENDPOINT)).pages).toEqual(['https://a.example/v2/a/tags/list']);
    expect(asked).toEqual([FIRST.href, 'https://a.example/v2/a/tags/list']);
  },
);

it.each([401, 403, 404, 410])('a refusal of the list itself (%i) is final', async (status) => {
  const { list, asked } = refusing([status]);
  await expect(readPages(list, ENDPOINT)).rejects.toMatchObject({ status });
  expect(asked).toHaveLength(1);
});

it.each<[string, ListLimits, RegExp]>([
  ['pages', { pages: 2, bytes: 1000 }, /more than 2 pages/],
  ['bytes', { pages: 9, bytes: 60 }, /larger than 60 B/],
])('refuses a list of too many %s', async (_, limits, message) => {
  const links = ['</1>; rel="next"', '</2>; rel="next"', '</3>; rel="next"'];
  await expect(pagesOf(links, limits)).rejects.toMatchObject({
    code: 'REGISTRY_BROKEN',
    about: 'a.example/a',
    message: expect.stringMatching(message),
  });
});

it('goes nowhere that an honest registry would not lead to', async () => {
  await expect(pagesOf(['<http://a.example/x>; rel="next"'])).rejects.toMatchObject({
    code: 'REDIRECT_REFUSED',
  });
});
