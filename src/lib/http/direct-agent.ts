import { type AgentOptions, type ClientRequestArgs, Agent as HttpAgent } from 'node:http';
import { Agent as HttpsAgent } from 'node:https';
import type { OnReadOpts } from 'node:net';
import type { Duplex } from 'node:stream';

/** About as many bytes as a fast connection has ready at each read. */
const READ_SIZE = 256 * 1024;

/**
 * Makes a connection read into one buffer of its own. By default Node allocates 64 KiB for each read, and collecting
 * that garbage was a third of the work of a mirror. The HTTP parser copies the data that it emits and keeps none, so
 * the buffer can be reused. https://nodejs.org/api/net.html#new-netsocketoptions
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

/** Returns a pool of connections without a proxy. */
export function directAgent(isSecure: boolean, options: AgentOptions): HttpAgent {
  return isSecure ? new DirectHttpsAgent(options) : new DirectHttpAgent(options);
}
