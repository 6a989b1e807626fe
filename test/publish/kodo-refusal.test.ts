import { expect, it } from 'vitest';
import { describeFailure, Failure } from '../../src/lib/failure.ts';
import { explainKodoAnswer, keyTaken, parseKodoError } from '../../src/publish/qiniu/kodo-refusal.ts';

const WHERE = { bucket: 'keel', key: 'kube.tar.gz' };

// https://developer.qiniu.com/kodo/3928/error-responses
it.each<[status: number, error: string, code: string, text: RegExp]>([
  [400, 'incorrect region, please use up-z2.qiniup.com', 'WRONG_ZONE', /set it to z2/],
  [400, 'incorrect region, please use upload-na0.qiniup.com', 'WRONG_ZONE', /set it to na0/],
  [400, 'incorrect region, please use up.qiniup.com', 'WRONG_ZONE', /set it to z0/],
  [400, 'incorrect region', 'WRONG_ZONE', /it is in another zone .*\(omit --zone to look it up\)/],
  // As it was said until 2017, at hosts of the time.
  [400, 'incorrect zone, please use up-z1.qiniu.com', 'WRONG_ZONE', /set it to z1/],
  [400, 'incorrect region, please use up-z2.qiniu.com', 'WRONG_ZONE', /set it to z2/],
  [400, 'Incorrect zone, please use upload.qbox.me', 'WRONG_ZONE', /set it to z0/],
  [
    400,
    'incorrect region, please use up.kodo.example.org',
    'WRONG_ZONE',
    /please use up\.kodo\.example\.org/,
  ],
  [400, 'incorrect region, please use up-cn-east-2.qiniup.com', 'WRONG_ZONE', /set it to cn-east-2/],
  [400, 'bad token', 'SERVICE_REFUSED', /status 400: bad token/],
  [401, 'expired token', 'CREDENTIALS_REFUSED', /clock/],
  [401, 'bad token', 'CREDENTIALS_REFUSED', /access key or secret key is wrong/],
  [612, 'no such accesskey', 'CREDENTIALS_REFUSED', /access key or secret key is wrong/],
  [403, '', 'CREDENTIALS_REFUSED', /bucket keel: writing to it is not allowed \(status 403\)/],
  [413, '', 'TOO_LARGE', /^kube\.tar\.gz: Kodo does not accept objects of this size/],
  [419, '', 'SERVICE_REFUSED', /suspended/],
  [612, 'no such file or directory', 'ABSENT', /bucket keel does not contain/],
  [614, 'file exists', 'ALREADY_PUBLISHED', /-beta name, or use --overwrite/],
  [631, 'no such bucket', 'BUCKET_ABSENT', /--bucket/],
  [408, '', 'SERVICE_BROKEN', /try again later/],
  [599, '', 'SERVICE_BROKEN', /Kodo could not process the request/],
  [600, '', 'SERVICE_REFUSED', /Kodo refused/],
  [573, '', 'THROTTLED', /Kodo limits requests/],
])('%i %j is %s', (status, error, code, text) => {
  const failure = explainKodoAnswer({ ...WHERE, status, error });
  expect(failure.code).toBe(code);
  expect(describeFailure(failure)).toMatch(text);
});

it.each([
  [429, true],
  [573, true],
  [503, true],
  [403, false],
  [631, false],
])('%i may be different a moment later: %s', (status, expected) => {
  const failure = explainKodoAnswer({ ...WHERE, status, error: '', retryAt: 5 });
  expect([failure.transient, failure.retryAt]).toEqual([expected, 5]);
});

it('a key that is taken is the same failure before and after the upload', () => {
  const told = explainKodoAnswer({ ...WHERE, status: 614, error: '' });
  expect(told).toBeInstanceOf(Failure);
  expect(describeFailure(told)).toBe(describeFailure(keyTaken('keel', 'kube.tar.gz')));
});

it.each([
  ['{"error":"no such bucket"}', 'no such bucket'],
  ['{"error":7}', ''],
  ['{}', ''],
  ['<html>', ''],
])('the error of %s is "%s"', (body, expected) => {
  expect(parseKodoError(body)).toBe(expected);
});
