import { milliseconds } from '../../src/lib/duration.ts';
import { measurePackage } from '../../src/publish/package-file.ts';
import { QiniuTarget } from '../../src/publish/qiniu.ts';

// Run as a process of its own, so that its memory can be told from the test's: FILE ENDPOINT ACCESS_KEY SECRET_KEY
const [path = '', endpoint = '', accessKey = '', secretKey = ''] = process.argv.slice(2);
const { signal } = new AbortController();
const file = await measurePackage(path, signal);
const target = new QiniuTarget({
  accessKey,
  secretKey,
  bucket: 'keel',
  zone: undefined,
  endpoint: new URL(endpoint),
  attempts: { attempts: 3, interval: milliseconds(10) },
  overwrite: false,
});
const started = performance.now();
await target.publish(file, signal, () => undefined);
const elapsed = performance.now() - started;
const { maxRSS, userCPUTime, systemCPUTime } = process.resourceUsage();
const result = { milliseconds: elapsed, peakMiB: maxRSS / 1024, cpu: (userCPUTime + systemCPUTime) / 1000 };
process.stdout.write(JSON.stringify(result));
