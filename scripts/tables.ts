import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';
import { z } from 'zod';
import { CNI_PLUGINS } from '../src/config/cni-plugin.ts';
import { UpstreamMirror } from '../src/config/upstream-mirror.ts';
import { writeFileWhole } from '../src/lib/atomic-file.ts';
import { seconds } from '../src/lib/duration.ts';
import { describeFailure } from '../src/lib/failure.ts';
import { HttpClient } from '../src/lib/http/http.ts';
import { MAKER_TIMEOUTS, MakerClient } from '../src/upstream/maker-client.ts';
import { ReleaseQuestions } from '../src/upstream/release-questions.ts';
import { Upstream } from '../src/upstream/upstream.ts';
import { refreshed } from './tables/refreshed-tables.ts';
import {
  CNI_FILE,
  fillCniFile,
  fillKubeadmFile,
  fillRuntimeFile,
  KUBEADM_FILE,
  RUNTIME_FILE,
} from './tables/table-file.ts';
import { UpstreamAnswers } from './tables/upstream-answers.ts';
import { describeDifference, type UpstreamTables } from './tables/upstream-tables.ts';

const text = z.string();
const kubeadmShape = z.object({
  KUBEADM_TABLE: z.array(z.object({ first: text, last: text, etcd: text, coredns: text, pause: text })),
});
const supportShape = z.object({ day: text, containerd: text, cri: text });
const runtimeShape = z.object({
  RUNTIME_TABLE: z.array(
    // The key always exists; its value is undefined for a minor that is not listed.
    z
      .object({ minor: z.number(), support: supportShape.optional(), containerd: text, runc: text })
      .transform((row) => ({ ...row, support: row.support })),
  ),
  NEWEST_CNI_PLUGINS: text,
});
const cniShape = z.object({
  CNI_TABLE: z.array(
    z.object({
      plugin: z.enum(CNI_PLUGINS),
      release: text,
      image: text,
      tag: text,
      use: z.enum(['needed', 'optional']),
    }),
  ),
});

/**
 * Returns the tables in the files of the working directory, which may differ from those that this program was built
 * with.
 */
async function readTables(): Promise<UpstreamTables> {
  const moduleAt = (file: string): Promise<unknown> => import(pathToFileURL(resolve(file)).href);
  const { KUBEADM_TABLE } = kubeadmShape.parse(await moduleAt(KUBEADM_FILE));
  const { RUNTIME_TABLE, NEWEST_CNI_PLUGINS } = runtimeShape.parse(await moduleAt(RUNTIME_FILE));
  const { CNI_TABLE } = cniShape.parse(await moduleAt(CNI_FILE));
  return {
    kubeadm: KUBEADM_TABLE,
    runtimes: RUNTIME_TABLE,
    cniPlugins: NEWEST_CNI_PLUGINS,
    cniImages: CNI_TABLE,
  };
}

/** Asks upstream, writes the files, and returns a description of the changes. If it throws, it has written nothing. */
async function refreshFiles(http: HttpClient, all: boolean): Promise<string[]> {
  const parts = { http, retry: { attempts: 2, interval: seconds(1) }, mirror: new UpstreamMirror() };
  const client = new MakerClient(parts);
  const answers = new UpstreamAnswers({
    // It only requests constants, and runs no kubeadm.
    makers: new Upstream({ ...parts, verifySignatures: 'require' }),
    releases: new ReleaseQuestions(client),
    client,
    signal: new AbortController().signal,
  });
  const before = await readTables();
  const day = new Date().toISOString().slice(0, 10);
  const after = await refreshed(before, { answers, day, all });
  const filled = [
    { file: KUBEADM_FILE, content: fillKubeadmFile(readFileSync(KUBEADM_FILE, 'utf8'), after, day) },
    { file: RUNTIME_FILE, content: fillRuntimeFile(readFileSync(RUNTIME_FILE, 'utf8'), after, day) },
    { file: CNI_FILE, content: fillCniFile(readFileSync(CNI_FILE, 'utf8'), after, day) },
  ];
  for (const { file, content } of filled) {
    if (content !== readFileSync(file, 'utf8')) writeFileWhole(file, content);
  }
  return describeDifference(before, after);
}

// Prints the changes on standard output, a line each.
const { values } = parseArgs({ options: { all: { type: 'boolean', default: false } } });
const http = new HttpClient({ timeouts: MAKER_TIMEOUTS });
try {
  const difference = await refreshFiles(http, values.all);
  console.log(difference.length === 0 ? 'The tables are what upstream has.' : difference.join('\n'));
} catch (error) {
  console.error(describeFailure(error));
  process.exitCode = 1;
} finally {
  http.close();
}
