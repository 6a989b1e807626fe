// Runs a program, whose path and arguments follow, and writes down what would keep the process when its work is done (see
// processes.ts). Names that end in .test are this machine.
import dns from 'node:dns';
import { writeFileSync } from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';
import { pathToFileURL } from 'node:url';

for (const resolver of [dns, dns.promises]) {
  const { lookup } = resolver;
  resolver.lookup = (name, ...rest) => lookup(name.endsWith('.test') ? '127.0.0.1' : name, ...rest);
}
syncBuiltinESMExports();

const { KEEL_TEST_END: file } = process.env;
process.argv.splice(1, 1);
await import(pathToFileURL(process.argv[1]));
const look = () => {
  const kept = process.getActiveResourcesInfo();
  // A file that is being closed ends by itself, as soon as the disk lets it.
  if (kept.includes('FSReqCallback')) setImmediate(look);
  else writeFileSync(file, JSON.stringify(kept));
};
// What was closed just now is gone a turn later.
setImmediate(() => setImmediate(look));
