import type { CniRow } from '../../src/config/kubernetes/cni-image-table.ts';
import type { KubeadmRow } from '../../src/config/kubernetes/kubeadm-tag-table.ts';
import type { RuntimeRow } from '../../src/config/kubernetes/runtime-table.ts';
import type { UpstreamTables } from './upstream-tables.ts';

/** The files that "make tables" writes. */
export const KUBEADM_FILE = 'src/config/kubernetes/kubeadm-tag-table.ts';
export const RUNTIME_FILE = 'src/config/kubernetes/runtime-table.ts';
export const CNI_FILE = 'src/config/kubernetes/cni-image-table.ts';

/**
 * Returns the text of the file of kubeadm's tags with these rows, dated with a day if the rows differ from those in it.
 */
export function fillKubeadmFile(text: string, { kubeadm }: UpstreamTables, day: string): string {
  return fill(
    text,
    [{ pattern: /(?<= = \[\n)[\s\S]*?(?=^\];$)/m, content: kubeadm.map(kubeadmLine).join('') }],
    day,
  );
}

/**
 * Returns the text of the file of container runtimes with these rows, dated with a day if the rows differ from those in
 * it.
 */
export function fillRuntimeFile(text: string, { runtimes, cniPlugins }: UpstreamTables, day: string): string {
  return fill(
    text,
    [
      { pattern: /(?<= = \[\n)[\s\S]*?(?=^\];$)/m, content: runtimes.map(runtimeLine).join('') },
      { pattern: /(?<=^export const NEWEST_CNI_PLUGINS = ).*(?=;$)/m, content: quote(cniPlugins) },
    ],
    day,
  );
}

/**
 * Returns the text of the file of network plugins with these rows, dated with a day if the rows differ from those in
 * it.
 */
export function fillCniFile(text: string, { cniImages }: UpstreamTables, day: string): string {
  const rows = { pattern: /(?<= = \[\n)[\s\S]*?(?=^\];$)/m, content: cniImages.map(cniLine).join('') };
  return fill(text, [rows, ...addressesOf(cniImages)], day);
}

/** The links to upstream's lists name the releases that the rows come from. */
function addressesOf(rows: readonly CniRow[]): Part[] {
  const newest = (plugin: CniRow['plugin']): string =>
    rows.find((row) => row.plugin === plugin && row.use === 'needed')?.release ?? '';
  const operator = rows.find(({ image }) => image === 'quay.io/tigera/operator')?.tag ?? '';
  return [
    { pattern: /(?<=projectcalico\/calico\/tree\/)[^/]+/, content: newest('calico') },
    { pattern: /(?<=tigera\/operator\/blob\/)[^/]+/, content: operator },
    { pattern: /(?<=cilium\/cilium\/blob\/)[^/]+/, content: newest('cilium') },
    { pattern: /(?<=flannel-io\/flannel\/blob\/)[^/]+/, content: newest('flannel') },
  ];
}

/** `lineWidth` of biome.json. */
const LINE_WIDTH = 110;

interface Part {
  readonly pattern: RegExp;
  readonly content: string;
}

function fill(text: string, parts: readonly Part[], day: string): string {
  const filled = parts.reduce(replacePart, text);
  return filled === text
    ? text
    : replacePart(filled, { pattern: /(?<=as of )\d{4}-\d{2}-\d{2}/, content: day });
}

function replacePart(text: string, { pattern, content }: Part): string {
  if (!pattern.test(text)) throw new Error(`nothing in the file looks like ${pattern.source}`);
  return text.replace(pattern, () => content);
}

function kubeadmLine({ first, last, etcd, coredns, pause }: KubeadmRow): string {
  return `  row(${[first, last, etcd, coredns, pause].map(quote).join(', ')}),\n`;
}

/** A row that is longer than a line is wrapped as the formatter does. */
function cniLine({ plugin, release, image, tag, use }: CniRow): string {
  const values = [plugin, release, image, tag, use].map(quote);
  const line = `  row(${values.join(', ')}),\n`;
  if (line.length <= LINE_WIDTH + 1) return line;
  return `  row(\n${values.map((value) => `    ${value},\n`).join('')}  ),\n`;
}

function runtimeLine({ minor, support, containerd, runc }: RuntimeRow): string {
  const words =
    support === undefined
      ? 'undefined'
      : `listed(${[support.day, support.containerd, support.cri].map(quote).join(', ')})`;
  return `  row(${[String(minor), words, quote(containerd), quote(runc)].join(', ')}),\n`;
}

function quote(text: string): string {
  return `'${text.replaceAll(/['\\]/g, '\\$&')}'`;
}
