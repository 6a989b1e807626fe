import { basename } from 'node:path';
import qiniu from 'qiniu';
import { milliseconds } from '../src/lib/duration.ts';
import { measurePackage } from '../src/publish/contract/package-file.ts';
import { QiniuTarget } from '../src/publish/qiniu/qiniu-target.ts';

// The process that `bench/upload.ts` measures: HOW FILE ENDPOINT ACCESS_KEY SECRET_KEY, where HOW is keel or sdk. It
// uploads the file to the bucket keel and prints what the upload alone took, and the memory of the whole process.

const [how = '', path = '', endpoint = '', accessKey = '', secretKey = ''] = process.argv.slice(2);

async function prepareKeel(): Promise<() => Promise<unknown>> {
  const { signal } = new AbortController();
  const place = { bucket: 'keel', zone: undefined, endpoint: new URL(endpoint), overwrite: true };
  const retry = { attempts: 3, interval: milliseconds(100) };
  const target = new QiniuTarget({ accessKey, secretKey, ...place, retry });
  const file = await measurePackage(path, signal);
  return () => target.publish(file, signal, () => undefined);
}

async function prepareSdk(): Promise<() => Promise<unknown>> {
  const key = basename(path);
  const hosts = [new qiniu.httpc.Endpoint(new URL(endpoint).host, { defaultScheme: 'http' })];
  const services = Object.fromEntries(['up', 'rs', 'uc', 'io', 'rsf', 'api'].map((name) => [name, hosts]));
  const region = new qiniu.httpc.Region({ regionId: 'z0', services });
  const config = new qiniu.conf.Config({ regionsProvider: new qiniu.httpc.StaticRegionsProvider([region]) });
  const mac = new qiniu.auth.digest.Mac(accessKey, secretKey);
  const token = new qiniu.rs.PutPolicy({ scope: `keel:${key}` }).uploadToken(mac);
  const extra = qiniu.resume_up.PutExtra.create(
    key,
    {},
    'application/gzip',
    undefined,
    undefined,
    4 << 20,
    'v2',
  );
  return async () => {
    const { resp } = await new qiniu.resume_up.ResumeUploader(config).putFileV2(token, key, path, extra);
    if (resp.statusCode !== 200) throw new Error(`Kodo answered ${resp.statusCode}`);
  };
}

const upload = await (how === 'sdk' ? prepareSdk() : prepareKeel());
const before = process.cpuUsage();
const started = performance.now();
await upload();
const seconds = (performance.now() - started) / 1000;
const { user, system } = process.cpuUsage(before);
const peakMiB = process.resourceUsage().maxRSS / 1024;
process.stdout.write(JSON.stringify({ seconds, cpuSeconds: (user + system) / 1e6, peakMiB }));
