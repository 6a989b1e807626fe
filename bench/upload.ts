import { open as openFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { z } from 'zod';
import { parseHost } from '../src/registry/oci/reference.ts';
import { Kodo } from '../test/support/kodo/kodo.ts';
import type { Case, Contender, Stage } from './case.ts';
import { measure } from './measure.ts';
import type { Sample } from './sample.ts';
import { openScratch } from './scratch.ts';
import { ServerProcess } from './server-process.ts';

// Uploads one file to a stand-in for Kodo, which is far away behind a thin line, with this project and with the qiniu
// package's own resumable upload.

const EXTENSION = import.meta.url.endsWith('.ts') ? 'ts' : 'js';
const RUNNER = fileURLToPath(new URL(`./upload-run.${EXTENSION}`, import.meta.url));
const PACKER = resolve('packer');
const MEBIBYTE = 1024 ** 2;
const LINE = { milliseconds: 50, bytesPerSecond: 200e6 / 8 };
const CONTENDERS = ['keel', 'putFileV2'] as const;
const timing = z.object({ seconds: z.number() });

/** Returns the case of an upload: 256 MiB in the quick set, 1 GiB in the full one. */
export function uploadCase(isFull: boolean): Case {
  const mebibytes = isFull ? 1024 : 256;
  const open = async (wants: (contender: string) => boolean): Promise<Stage> => {
    const scratch = await openScratch();
    const file = join(scratch.folder, 'kube-0.0.0-amd64.tar.gz');
    await using sparse = await openFile(file, 'w');
    await sparse.truncate(mebibytes * MEBIBYTE);
    return {
      contenders: CONTENDERS.filter((name) => wants(name)).map((name) => contender(name, file)),
      facts: { bytes: mebibytes * MEBIBYTE, ...LINE },
      [Symbol.asyncDispose]: () => scratch[Symbol.asyncDispose](),
    };
  };
  const title = `upload of ${mebibytes} MiB to Kodo, 50 ms away through 200 Mbit/s`;
  return { id: 'upload', part: 'upload', title, open };
}

function contender(name: (typeof CONTENDERS)[number], file: string): Contender {
  const run = async (): Promise<Sample> => {
    await using kodo = await Kodo.start({ keep: 'hashes' });
    await using network = await ServerProcess.start('distance', { ...LINE, hosts: [parseHost(kodo.host)] });
    const [host = kodo.host] = network.hosts;
    kodo.advertise(host);
    const { accessKey, secretKey } = kodo.account;
    const command =
      name === 'keel'
        ? `KEEL_ACCESS_KEY=${accessKey} KEEL_SECRET_KEY=${secretKey} KEEL_QINIU_ENDPOINT=http://${host} '${PACKER}' push --pkg-uri '${file}' --overwrite`
        : `'${process.execPath}' '${RUNNER}' sdk '${file}' http://${host} ${accessKey} ${secretKey}`;
    const { stdout, ...cost } = await measure(command, { network: network.pid });
    const [traffic] = await network.traffic();
    return {
      ...cost,
      // The package's own start is not counted: nobody would use it by itself. What packer does before counts.
      ...(name === 'keel' ? {} : timing.parse(JSON.parse(stdout))),
      ...(traffic === undefined
        ? {}
        : {
            requests: { source: {}, destination: traffic.requests },
            connections: traffic.connections,
            bytesReceived: 0,
            bytesSent: traffic.bytesSent,
          }),
    };
  };
  return { name, run };
}
