import { SourceFailure } from './blob-stream.ts';

/**
 * The requests that bring a blob to a repository: `mount` from another one, `ask` whether it is there, `open` an upload,
 * `put` all bytes or `patch` some of them, `inspect` how many arrived, and `close` it.
 */
export type PushRequest = 'ping' | 'mount' | 'ask' | 'open' | 'put' | 'inspect' | 'patch' | 'close';

/** A request to the destination that failed. */
export class RequestFailure extends Error {
  readonly request: PushRequest;
  readonly reason: unknown;

  constructor(request: PushRequest, reason: unknown) {
    super('a request failed', { cause: reason });
    this.request = request;
    this.reason = reason;
  }
}

/** Returns the result of a request. Throws `RequestFailure`, or `SourceFailure` if the bytes to send did not come. */
export async function inRequest<Result>(
  request: PushRequest,
  perform: () => Promise<Result>,
): Promise<Result> {
  try {
    return await perform();
  } catch (error) {
    throw error instanceof SourceFailure ? error : new RequestFailure(request, error);
  }
}
