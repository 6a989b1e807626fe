import { BlockList, isIP } from 'node:net';

/** Where a request goes. */
interface Target {
  /** Lower case, without brackets, and without a dot at its end. */
  readonly host: string;
  readonly port: string;
  readonly isAddress: boolean;
}

/**
 * Returns whether a list such as NO_PROXY contains the host of a URL, so that no proxy is used for it. An entry
 * is `*`, a name with all names below it, an address, a network such as 10.0.0.0/8, or a pattern such as `*.example`; a
 * port restricts it to that port. This is how Go and curl read it
 * (https://pkg.go.dev/golang.org/x/net/http/httpproxy, https://everything.curl.dev/usingcurl/proxies/env.html).
 */
export function isExempt(url: URL, list: string): boolean {
  const host = plainAddress(url.hostname.replace(/^\[|\]$/g, '').replace(/\.$/, ''));
  const target = {
    host,
    port: url.port || (url.protocol === 'https:' ? '443' : '80'),
    isAddress: isIP(host) !== 0,
  };
  const entries = list.toLowerCase().split(/[\s,]+/);
  return entries.some((entry) => entry !== '' && isMatch(entry, target));
}

function isMatch(entry: string, target: Target): boolean {
  const slash = entry.indexOf('/');
  if (slash >= 0) return isInNetwork(target.host, entry.slice(0, slash), entry.slice(slash + 1));
  const [, bracketed, bare, port] = /^(?:\[([^\]]*)\]|([^:]*))(?::(\d+))?$/.exec(entry) ?? [];
  if (port !== undefined && port !== target.port) return false;
  const name = plainAddress((bracketed ?? bare ?? entry).replace(/\.$/, ''));
  if (name.includes('*')) return isPatternMatch(name, target.host);
  if (target.isAddress || isIP(name) !== 0) return name === target.host;
  const domain = name.replace(/^\./, '');
  return domain !== '' && (target.host === domain || target.host.endsWith(`.${domain}`));
}

function isInNetwork(host: string, network: string, prefix: string): boolean {
  const version = isIP(network);
  const isPrefix = /^\d{1,3}$/.test(prefix) && Number(prefix) <= (version === 4 ? 32 : 128);
  if (isIP(host) === 0 || version === 0 || !isPrefix) return false;
  const family = version === 4 ? 'ipv4' : 'ipv6';
  const list = new BlockList();
  list.addSubnet(network, Number(prefix), family);
  return list.check(host, isIP(host) === 4 ? 'ipv4' : 'ipv6');
}

function isPatternMatch(pattern: string, host: string): boolean {
  const [first = '', ...others] = pattern.split('*');
  const last = others.pop() ?? '';
  if (!host.startsWith(first) || !host.endsWith(last) || host.length < first.length + last.length)
    return false;
  let rest = host.slice(first.length, host.length - last.length);
  for (const part of others) {
    const at = rest.indexOf(part);
    if (at < 0) return false;
    rest = rest.slice(at + part.length);
  }
  return true;
}

/** Returns an address in the form that a URL has, and an IPv4 address in place of one that is mapped to IPv6. */
function plainAddress(name: string): string {
  if (isIP(name) !== 6) return name;
  const short = new URL(`http://[${name.replace(/%.*$/, '')}]/`).hostname.slice(1, -1);
  const [, high, low] = /^::ffff:([0-9a-f]{1,4}):([0-9a-f]{1,4})$/.exec(short) ?? [];
  if (high === undefined || low === undefined) return short;
  const bytes = [high, low].flatMap((half) => {
    const value = Number.parseInt(half, 16);
    return [Math.floor(value / 256), value % 256];
  });
  return bytes.join('.');
}
