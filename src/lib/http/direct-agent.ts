import { type AgentOptions, type ClientRequestArgs, Agent as HttpAgent } from 'node:http';
import { Agent as HttpsAgent } from 'node:https';
import type { OnReadOpts } from 'node:net';
import type { Duplex } from 'node:stream';

/** As much as a fast line has waiting when we come back to it. */
const READ_SIZE = 256 * 1024;

/**
 * Has a connection read into one memory of its own, where Node would take 64 KiB anew for each piece: so much garbage
 * that collecting it was a third of the work of a mirror. The HTTP parser copies what it passes on and keeps nothing,
 * so what it was given may be overwritten. https://nodejs.org/api/net.html#new-netsocketoptions
 */
function readingIntoItsOwn(connect: (options: { readonly onread: OnReadOpts }) => Connection): Connection {
  const connection = connect({
    onread: {
      buffer: Buffer.allocUnsafeSlow(READ_SIZE),
      callback: (count, buffer) => {
        connection?.emit('data', buffer.subarray(0, count));
        return true;
      },
    },
  });
  return connection;
}

type Connection = Duplex | null | undefined;
type Created = (error: Error | null, stream: Duplex) => void;

class DirectHttpAgent extends HttpAgent {
  override createConnection(options: ClientRequestArgs, created?: Created): Connection {
    return readingIntoItsOwn((own) => super.createConnection({ ...options, ...own }, created));
  }
}

class DirectHttpsAgent extends HttpsAgent {
  override createConnection(options: ClientRequestArgs, created?: Created): Connection {
    return readingIntoItsOwn((own) => super.createConnection({ ...options, ...own }, created));
  }
}

/** Returns a pool of connections that go through no proxy. */
export function directAgent(isSecure: boolean, options: AgentOptions): HttpAgent {
  return isSecure ? new DirectHttpsAgent(options) : new DirectHttpAgent(options);
}
