import { expect, it } from 'vitest';
import { updateNotes } from '../../src/publish/release/release-notes.ts';
import { PackageFixture } from './package-fixture.ts';

const NAME = 'kube-1.36.2-amd64.tar.gz';

it('what people wrote around the section of a package stays in the notes', async () => {
  await using fixture = await PackageFixture.write(NAME, 10);
  const part = { name: NAME, start: 0, end: 10, sha256: fixture.file.sha256 };
  const once = updateNotes('Before', fixture.file, [part]);
  const twice = updateNotes(`${once}\nAfter`, fixture.file, [part]);
  expect(twice).toBe(`${once}\nAfter`);
  expect(once).toMatch(/^Before\n\n<!-- keel-package/);
});
