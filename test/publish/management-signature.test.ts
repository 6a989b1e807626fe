import { createHmac } from 'node:crypto';
import qiniu from 'qiniu';
import { expect, it } from 'vitest';
import { managementSignature } from '../../src/publish/qiniu/management-signature.ts';

const KEYS = { accessKey: 'test-access-key', secretKey: 'test-secret-key' };
const TYPE = 'application/x-www-form-urlencoded';
const DATE = '20260101T000000Z';

function signatureOf(address: string, method = 'GET'): string {
  return managementSignature(KEYS, { method, url: new URL(address), type: TYPE, date: DATE });
}

it.each([
  ['https://rs-z0.qiniuapi.com/stat/a2VlbDphLnRhci5neg==', 'GET'],
  ['https://uc.qiniuapi.com/v3/domains?tbl=keel', 'POST'],
  ['https://kodo.example:443/stat/eA==', 'GET'],
])('a request without a port is signed as the qiniu package signs it: %s', (address, method) => {
  const mac = new qiniu.auth.digest.Mac(KEYS.accessKey, KEYS.secretKey);
  const dated = { 'X-Qiniu-Date': DATE };
  const expected = qiniu.util.generateAccessTokenV2(mac, address, method, TYPE, undefined, dated);
  expect(signatureOf(address, method)).toBe(expected);
});

it.each(['http://kodo.example:8080', 'https://10.0.0.5:8443', 'http://[fd00::5]:9000'])(
  'a port is signed once, as Qiniu’s packages for Go and Python do: %s',
  (origin) => {
    const text = `GET /stat/eA==\nHost: ${new URL(origin).host}\nContent-Type: ${TYPE}\nX-Qiniu-Date: ${DATE}\n\n`;
    const signature = createHmac('sha1', KEYS.secretKey).update(text).digest('base64url');
    expect(signatureOf(`${origin}/stat/eA==`)).toBe(`Qiniu test-access-key:${signature}=`);
  },
);
