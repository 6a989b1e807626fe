import { type Answer, refusal, text } from './answer.ts';
import type { Exchange } from './exchange.ts';
import type { Quirks } from './quirks.ts';

/** How a registry treats whole kinds of requests, whatever they ask for. */
export class Manners {
  #pulls = 0;

  /** Returns the refusal of a request, or `undefined` where it may go on. */
  refuse({ entry, url }: Exchange, quirks: Quirks): Answer | undefined {
    const { kind } = entry;
    if (kind === 'token' && url.href.length > (quirks.tokenUrlLimit ?? Number.POSITIVE_INFINITY)) {
      return text(414, '<html><body>414 Request-URI Too Large</body></html>', {
        'content-type': 'text/html',
      });
    }
    if (kind === 'manifest-head' && quirks.refuseManifestHead !== undefined) {
      return refusal(quirks.refuseManifestHead, 'UNSUPPORTED');
    }
    if (
      (kind === 'tags-list' || kind === 'catalog') &&
      Number(entry.query.get('n')) > (quirks.pageLimit ?? Number.POSITIVE_INFINITY)
    ) {
      return refusal(400, 'UNSUPPORTED', 'invalid parameter at maxResults');
    }
    if (kind !== 'manifest-get' || quirks.pullLimit === undefined) return undefined;
    if (this.#pulls >= quirks.pullLimit) {
      const told =
        'You have reached your unauthenticated pull rate limit. https://www.docker.com/increase-rate-limit';
      return refusal(429, 'TOOMANYREQUESTS', told, this.#counted(quirks));
    }
    this.#pulls += 1;
    return undefined;
  }

  /** Forgets what was pulled so far, as hours do. */
  rest(): void {
    this.#pulls = 0;
  }

  /** Returns an answer as this registry words it. */
  word(answer: Answer, { entry }: Exchange, quirks: Quirks): Answer {
    const { 'www-authenticate': challenge, ...bare } = answer.headers;
    if (quirks.challengeOnPingOnly === true && challenge !== undefined && entry.kind !== 'ping') {
      return { ...answer, headers: bare };
    }
    const isCounted = quirks.pullLimit !== undefined && entry.kind.startsWith('manifest-');
    return isCounted ? { ...answer, headers: { ...answer.headers, ...this.#counted(quirks) } } : answer;
  }

  #counted({ pullLimit = 0 }: Quirks): Record<string, string> {
    return {
      'ratelimit-limit': `${pullLimit};w=21600`,
      'ratelimit-remaining': `${pullLimit - this.#pulls};w=21600`,
      'docker-ratelimit-source': '203.0.113.7',
    };
  }
}
