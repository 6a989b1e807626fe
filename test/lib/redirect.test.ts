import { describe, expect, it } from 'vitest';
import { followAddress, followRedirects, isLossyRedirect } from '../../src/lib/http/redirect.ts';
import { answerOf } from '../support/http-answer.ts';

describe('an address that a server names', () => {
  const follow = (from: string, address: string, registry = from): string =>
    followAddress(new URL(from), address, new URL(registry)).href;

  it.each([
    ['https://a.example/v2/x', '/v2/y?z=1', 'https://a.example/v2/y?z=1'],
    ['https://a.example/v2/x/', 'y', 'https://a.example/v2/x/y'],
    ['https://a.example/', 'https://b.example/s?sig=a%2Fb', 'https://b.example/s?sig=a%2Fb'],
    ['http://a.example/', 'https://b.example/', 'https://b.example/'],
    ['http://127.0.0.1:5000/', 'http://127.0.0.1:5001/x', 'http://127.0.0.1:5001/x'],
    ['http://localhost:5000/', 'http://127.0.0.1:5001/x', 'http://127.0.0.1:5001/x'],
    ['https://a.example/', 'https://10.0.0.5/x', 'https://10.0.0.5/x'],
    // Its user named it.
    ['http://168.63.129.16:5000/', '/v2/x', 'http://168.63.129.16:5000/v2/x'],
    ['https://metadata/', 'https://metadata:8443/x', 'https://metadata:8443/x'],
  ])('from %s, %s is followed', (from, address, expected) => {
    expect(follow(from, address)).toBe(expected);
  });

  it.each([
    ['https://a.example/', 'http://a.example/', 'plain HTTP'],
    ['https://a.example/', 'ftp://a.example/', 'not HTTP'],
    ['https://a.example/', 'file:///etc/passwd', 'not HTTP'],
    ['https://a.example/', 'https://127.0.0.1/', 'on this machine'],
    ['https://a.example/', 'https://localhost:8443/', 'on this machine'],
    ['http://a.example/', 'http://169.254.169.254/latest', 'of a cloud'],
    ['http://a.example/', 'http://[::1]/', 'on this machine'],
    ['http://a.example/', 'http://[::ffff:127.0.0.1]/', 'on this machine'],
    ['http://a.example/', 'http://[::ffff:169.254.169.254]/', 'of a cloud'],
    ['http://a.example/', 'http://0.0.0.0:5000/', 'on this machine'],
    ['http://a.example/', 'http://[::]:5000/', 'on this machine'],
    ['http://a.example/', 'http://localhost./', 'on this machine'],
    ['http://a.example/', 'http://100.100.100.200/latest', 'of a cloud'],
    ['http://a.example/', 'http://[fd00:ec2::254]/latest', 'of a cloud'],
    ['http://a.example/', 'http://metadata.google.internal/', 'of a cloud'],
    ['http://a.example/', 'http://2130706433/', 'on this machine'],
    // Who runs a registry on this machine, such as a tunnel, does not give it the cloud's secrets.
    ['http://127.0.0.1:5000/', 'http://169.254.169.254/latest', 'of a cloud'],
    ['https://a.example/', 'https://[', 'not an address'],
  ])('from %s, %s is refused', (from, address, message) => {
    expect(() => follow(from, address)).toThrow(
      expect.objectContaining({
        code: 'REDIRECT_REFUSED',
        message: expect.stringContaining(message),
        hint: 'this looks like a broken or hostile server; nothing was sent there',
      }),
    );
  });

  it('may not lead inward behind a second hop either', () => {
    expect(() => follow('https://cdn.example/', 'https://127.0.0.1/', 'https://a.example/')).toThrow();
  });
});

describe('redirects', () => {
  const FIRST = new URL('https://a.example/1');
  const next = (from: URL, location: string): URL => new URL(location, from);

  /** Returns the addresses asked, the last of which answers with this status; every other one redirects to the next. */
  async function asked(status: number, headers = {}): Promise<(string | number | undefined)[]> {
    const seen: string[] = [];
    const answer = await followRedirects(
      { method: 'GET', url: FIRST },
      async (url) => {
        seen.push(url.pathname);
        if (seen.length === 1) return answerOf(url, { location: '/2' }, { status: 308 });
        return answerOf(url, headers, { status });
      },
      next,
    );
    return [...seen, answer?.status];
  }

  it.each([301, 302, 303, 307, 308])('are followed at %d', async (status) => {
    const seen: string[] = [];
    const send = async (url: URL) => {
      seen.push(url.href);
      const isFirst = url.href === FIRST.href;
      return answerOf(url, isFirst ? { location: 'https://b.example/2' } : {}, {
        status: isFirst ? status : 200,
      });
    };
    expect((await followRedirects({ method: 'GET', url: FIRST }, send, next))?.url.href).toBe(
      'https://b.example/2',
    );
    expect(seen).toEqual([FIRST.href, 'https://b.example/2']);
  });

  it.each<[number, object]>([
    [200, { location: '/3' }],
    [304, { location: '/3' }],
    [404, {}],
    [302, {}],
  ])('end at %d with the headers %j', async (status, headers) => {
    expect(await asked(status, headers)).toEqual(['/1', '/2', status]);
  });

  it.each<[string, number, boolean]>([
    ['POST', 307, true],
    ['PUT', 308, true],
    ['PATCH', 307, true],
    ['DELETE', 308, true],
    ['POST', 303, false],
    ['PUT', 301, false],
    ['PATCH', 302, false],
  ])('of a write (%s) are followed only where the same is asked for: %d', async (method, status, follows) => {
    const send = async (url: URL) =>
      answerOf(url, { location: '/2' }, { status: url.pathname === '/2' ? 200 : status });
    const answer = await followRedirects({ method, url: FIRST }, send, next);
    expect(answer?.url.pathname).toBe(follows ? '/2' : '/1');
    expect(answer !== undefined && isLossyRedirect(method, answer)).toBe(!follows);
  });

  it('without end are given up after the ninth request', async () => {
    let count = 0;
    const send = async (url: URL) => {
      count += 1;
      return answerOf(url, { location: `/${count}` }, { status: 302 });
    };
    expect(await followRedirects({ method: 'GET', url: FIRST }, send, next)).toBeUndefined();
    expect(count).toBe(9);
  });

  it('are not followed where the next address is refused', async () => {
    const refused = new Error('not there');
    const send = async (url: URL) => answerOf(url, { location: '/x' }, { status: 302 });
    const followed = followRedirects({ method: 'GET', url: FIRST }, send, () => {
      throw refused;
    });
    await expect(followed).rejects.toBe(refused);
  });
});
