import { expect, it } from 'vitest';
import { describeFailure } from '../../src/lib/failure.ts';
import { explainReleaseAnswer } from '../../src/publish/release/release-refusal.ts';

// https://docs.github.com/rest/releases
it.each<[status: number, body: unknown, code: string, text: RegExp]>([
  [401, { message: 'Bad credentials' }, 'CREDENTIALS_REFUSED', /status 401: Bad credentials.*--github-token/],
  [403, { message: 'Resource not accessible by integration' }, 'DENIED', /contents: write/],
  [403, { message: 'You have exceeded a secondary rate limit' }, 'RATE_LIMITED', /GitHub limits requests/],
  [429, {}, 'RATE_LIMITED', /GitHub limits requests/],
  [404, { message: 'Not Found' }, 'ABSENT', /GitHub cannot find it.*check the repository/],
  [
    422,
    { message: 'Validation Failed', errors: [{ code: 'already_exists' }] },
    'ALREADY_EXISTS',
    /one with this name already exists/,
  ],
  [
    422,
    { errors: [{ message: 'size must be less than 2147483648' }] },
    'TOO_LARGE',
    /does not accept assets of this size/,
  ],
  [422, { message: 'Validation Failed' }, 'SERVICE_REFUSED', /GitHub refused/],
  [502, '<html>', 'SERVICE_BROKEN', /GitHub could not process the request \(status 502\)/],
  [408, undefined, 'SERVICE_BROKEN', /try again later/],
  [307, undefined, 'SERVICE_REFUSED', /status 307/],
])('%i with %j is %s', (status, body, code, text) => {
  const failure = explainReleaseAnswer({ status, body, about: 'me/it', retryAt: undefined });
  expect(failure).toMatchObject({ code, status, about: 'me/it' });
  expect(describeFailure(failure)).toMatch(text);
});

it.each([
  [429, true],
  [500, true],
  [401, false],
  [404, false],
])('%i may be different a moment later: %s', (status, transient) => {
  const failure = explainReleaseAnswer({ status, body: {}, about: 'me/it', retryAt: 7 });
  expect(failure).toMatchObject({ transient, retryAt: 7 });
});
