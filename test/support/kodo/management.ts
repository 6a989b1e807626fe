import type { Bucket } from './objects.ts';
import type { Route } from './route.ts';
import { Refusal } from './signatures.ts';

/** Returns the answer of the region query for a bucket of that region, all of whose services are on one host. */
export function describeRegion(region: string, host: string): object {
  const service = { domains: [host] };
  const s3 = { ...service, region_alias: region };
  const services = { uc: service, up: service, io: service, rs: service, rsf: service, api: service, s3 };
  return { hosts: [{ region, ttl: 86_400, ...services }] };
}

function describeBucket(bucket: Bucket, prefix: string): object {
  const objects = [...bucket.objects.values()].filter((object) => object.key.startsWith(prefix));
  const items = objects.map(({ key, hash, size, mimeType, putTime }) => ({
    ...{ key, hash, fsize: size, mimeType, putTime },
  }));
  return { items };
}

/** Answers what is asked about a bucket and its objects, once the signature is verified. */
export function manage(bucket: Bucket, route: Route, url: URL, domains: readonly string[]): object {
  if (route.operation === 'domains') return domains.map((domain) => ({ domain, tbl: bucket.name }));
  if (route.operation === 'list') return describeBucket(bucket, url.searchParams.get('prefix') ?? '');
  const object = bucket.objects.get(route.key ?? '');
  if (object === undefined) throw new Refusal(612, 'no such file or directory');
  if (route.operation === 'delete') {
    bucket.objects.delete(object.key);
    return {};
  }
  const { hash, size, mimeType, putTime } = object;
  const wantsParts = url.pathname.endsWith('/needparts/true') || url.searchParams.get('needparts') === 'true';
  const parts = wantsParts ? { parts: object.parts.map((part) => part.hash.size) } : {};
  return { hash, fsize: size, mimeType, putTime, type: 0, ...parts };
}
