import { expect, it } from 'vitest';
import { releaseUploadAddress } from '../../src/publish/release/release-upload-address.ts';

const PATH = '/repos/me/it/releases/1/assets';

it.each([
  ['https://api.github.com', `https://uploads.github.com${PATH}{?name,label}`],
  ['https://api.acme.ghe.com', `https://uploads.acme.ghe.com${PATH}{?name,label}`],
  ['https://git.acme.example/api/v3', `https://git.acme.example/api/uploads${PATH}`],
  ['https://git.acme.example/api/v3', `https://uploads.git.acme.example${PATH}`],
  ['http://127.0.0.1:8080', `http://127.0.0.1:8080${PATH}`],
])('%s may have assets sent to %s', (api, template) => {
  const address = releaseUploadAddress(new URL(api), template, 'a b.tar.gz');
  expect(address.href).toBe(`${template.replace(/\{.*/, '')}?name=a+b.tar.gz`);
});

it.each([
  ['https://api.github.com', `https://uploads.example${PATH}`],
  ['https://api.github.com', `https://uploads.github.com.example${PATH}`],
  ['https://api.github.com', `https://uploads.github.com:8443${PATH}`],
  ['https://api.github.com', `http://uploads.github.com${PATH}`],
  ['https://api.github.com', `https://api.github.com@evil.example${PATH}`],
  ['https://api.github.com', 'uploads'],
  ['http://127.0.0.1:8080', `http://127.0.0.1:8081${PATH}`],
])('%s may not have them sent to %s', (api, template) => {
  expect(() => releaseUploadAddress(new URL(api), template, 'a')).toThrow(
    expect.objectContaining({ code: 'REDIRECT_REFUSED' }),
  );
});
