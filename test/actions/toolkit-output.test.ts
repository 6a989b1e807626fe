import { expect, test, vi } from 'vitest';
import { listenTo, reasonIn } from '../../src/actions/toolkit-output.ts';

test.each([
  [[], undefined],
  [['Cache Size: ~1 MB'], undefined],
  [['::warning::Failed to restore: no such host', 'Cache not found'], 'no such host'],
  [['Failed to save: a', 'Failed to save: b'], 'b'],
  [['::error title=x::disk full%0Aand more'], 'disk full'],
  [['::warning::50%25 done'], '50% done'],
  [['Upload skipped: read only'], 'Upload skipped: read only'],
])('the reason in %j is %j', (said, expected) => {
  expect(reasonIn(said)).toBe(expected);
});

test('what work prints is kept, its masks go on once each, and what others print is left alone', async () => {
  const printed: string[] = [];
  // What this process prints is caught below the listener, which stands in its place from then on.
  const write = vi.spyOn(process.stdout, 'write').mockImplementation((text) => {
    printed.push(String(text));
    return true;
  });
  const { result, said } = listenTo(async () => {
    process.stdout.write('one\ntwo\n');
    await Promise.resolve();
    process.stdout.write(
      '::add-mask::hush\n::add-mask::hush\n::debug::https://blob?a=b&sig=hush%3D&c=d\nthree sig=x\n',
    );
    return 7;
  });
  process.stdout.write('another\n');
  expect(await result).toBe(7);
  write.mockRestore();
  expect(said).toEqual(['one', 'two', 'three sig=x']);
  expect(printed).toEqual(['another\n', '::add-mask::hush\n', '::debug::https://blob?a=b&sig=***&c=d\n']);
});
