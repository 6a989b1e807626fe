import { Transform } from 'node:stream';

/** Thrown where the connection shall be cut. */
export class ConnectionCut extends Error {}

/** Returns a passage for a body that breaks after that many bytes. */
export function cutAfter(limit: number): Transform {
  let passed = 0;
  return new Transform({
    transform(chunk: Buffer, _encoding, done) {
      passed += chunk.length;
      done(passed >= limit ? new ConnectionCut() : null, chunk);
    },
  });
}
