import { expect, test } from 'vitest';
import { mentionsInTable } from '../../../src/config/images/image-table.ts';

const DIGEST = `sha256:${'a1'.repeat(32)}`;

/** Returns the images of a table with their lines and columns, and a mark at those without a name. */
function namesIn(...lines: string[]): string[] | undefined {
  return mentionsInTable(lines.join('\n'))?.map(
    ({ text, line, column, isNameless }) => `${line}:${column} ${text}${isNameless === true ? ' ?' : ''}`,
  );
}

test.each([
  [
    'docker before 29',
    'REPOSITORY   TAG       IMAGE ID       CREATED       SIZE',
    'nginx   1.29   2cd1   2 weeks ago',
  ],
  ['crictl', 'IMAGE              TAG                 IMAGE ID            SIZE', 'nginx   1.29   1cf5   23MB'],
  [
    'docker 29',
    'IMAGE                  ID             DISK USAGE   CONTENT SIZE   EXTRA',
    'nginx:1.29   0168   3MB',
  ],
  ['ctr', 'REF TYPE DIGEST SIZE PLATFORMS LABELS', `nginx:1.29 application/vnd.oci ${DIGEST} 7 KiB -`],
])('a table of %s is read', (_, head, row) => {
  expect(namesIn('', head, row, '')).toEqual(['3:1 nginx:1.29']);
});

test('the legend of docker 29 above its table is no image', () => {
  expect(namesIn('      i Info →   U  In Use', 'IMAGE   ID   DISK USAGE', 'nginx:1.29   0168')).toEqual([
    '3:1 nginx:1.29',
  ]);
});

test('images without a name or tag are uncertain, and the digests of containerd are other names of its images', () => {
  expect(namesIn('REPOSITORY TAG IMAGE', '<none> <none> 5d0d', 'a <none> 5d0d')).toEqual([
    '2:1 <none>:<none> ?',
    '3:1 a:<none> ?',
  ]);
  expect(namesIn('IMAGE ID DISK USAGE', '<untagged> 0953', `a@${DIGEST} 0953`)).toEqual([
    '2:1 <untagged> ?',
    `3:1 a@${DIGEST}`,
  ]);
  expect(namesIn('REF TYPE', `${DIGEST} application/x`, 'a:1 application/x')).toEqual(['3:1 a:1']);
});

test.each(['nginx:1.29\nREF TYPE', 'IMAGE\nnginx', 'image: nginx', ''])('%j is no table', (text) => {
  expect(mentionsInTable(text)).toBeUndefined();
});
