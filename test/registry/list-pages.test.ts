import { expect, it } from 'vitest';
import { LIST_LIMITS, type ListLimits, readPages } from '../../src/registry/list-pages.ts';
import { answerOf } from '../support/http-answer.ts';

const ENDPOINT = new URL('https://a.example/');
const FIRST = new URL('/v2/a/tags/list?n=1000', ENDPOINT);

/** Reads a list whose pages have these Link headers in turn, then none; returns the pages by their addresses. */
function pagesOf(links: readonly (string | string[] | undefined)[], limits: ListLimits = LIST_LIMITS) {
  const asked: string[] = [];
  const send = async (url: URL) => {
    const link = links[asked.length];
    asked.push(url.href);
    return answerOf(url, link === undefined ? {} : { link: [link].flat().join(', ') }, { body: url.href });
  };
  const list = { first: FIRST, about: 'a.example/a', limits };
  return readPages(list, ENDPOINT, send, (body) => body.toString());
}

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
  expect(await pagesOf(['</x>; rel="next"', again])).toEqual([FIRST.href, 'https://a.example/x']);
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
