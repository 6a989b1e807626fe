import { expect, test } from 'vitest';
import { mentionsInList } from '../../../src/config/images/plain-list.ts';

function textsOf(list: string): string[] {
  return mentionsInList(list).map(({ text }) => text);
}

test.each([
  ['nginx:1.29\nredis:8', ['nginx:1.29', 'redis:8']],
  ['nginx:1.29\r\nredis:8\r', ['nginx:1.29', 'redis:8']],
  ['# all\n\n  nginx:1.29  # the web server\n// none', ['nginx:1.29']],
  ['- nginx:1.29\n* redis:8\n1. postgres:18', ['nginx:1.29', 'redis:8', 'postgres:18']],
  ['image: nginx:1.29\n    - image: "redis:8"\n“image”：redis:8', ['nginx:1.29', '"redis:8"', 'redis:8']],
  ['docker pull nginx:1.29\n# docker pull redis:8', ['nginx:1.29']],
  ['nginx:1.29 redis:8, quay.io/a/b', ['nginx:1.29', 'redis:8,', 'quay.io/a/b']],
  ['nginx:\u00a0', ['nginx:']],
  ['the images of our team', ['the images of our team']],
  ['nginx:$(tag of it)', ['nginx:$(tag of it)']],
])('%j has %j', (list, texts) => {
  expect(textsOf(list)).toEqual(texts);
});

test('each image has its line and column', () => {
  expect(mentionsInList('# a\n  - docker pull nginx')).toEqual([{ text: 'nginx', line: 2, column: 17 }]);
});
