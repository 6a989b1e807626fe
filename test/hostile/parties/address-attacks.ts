import { NOT_INWARD } from './promise.ts';
import { always, type SourceAttack } from './source-attack.ts';
import { absent, LAYER_ELSEWHERE, METADATA, type Stage } from './stage.ts';

const FOREIGN_LAYER = 'application/vnd.docker.image.rootfs.foreign.diff.tar.gzip';
const LAYER = 'application/vnd.oci.image.layer.v1.tar+gzip';
/** The same address, as IPv6 has it. */
const DISGUISED_METADATA = 'https://[::ffff:a9fe:a9fe]/latest/meta-data';

function addresses({ strangers }: Stage): readonly string[] {
  return [METADATA, `${strangers.elsewhere.url}/layer`, `${strangers.plain.url}/layer`];
}

/** It names other addresses. */
export const ADDRESS_ATTACKS: readonly SourceAttack[] = [
  {
    tries: 'a redirect of a layer to plain HTTP',
    ...NOT_INWARD,
    bend: (stage) =>
      stage.answer(
        'blob-get',
        { kind: 'redirect', location: ({ pathname }) => new URL(pathname, stage.strangers.plain.url).href },
        stage.child.layer.digest,
      ),
    ends: always('REDIRECT_REFUSED'),
  },
  {
    tries: 'a redirect of a layer to what a cloud tells its machines',
    ...NOT_INWARD,
    bend: (stage) =>
      stage.answer('blob-get', { kind: 'redirect', location: METADATA }, stage.child.layer.digest),
    ends: always('REDIRECT_REFUSED'),
  },
  {
    tries: 'the same with an address in another spelling',
    ...NOT_INWARD,
    bend: (stage) =>
      stage.answer('blob-get', { kind: 'redirect', location: DISGUISED_METADATA }, stage.child.layer.digest),
    ends: always('REDIRECT_REFUSED'),
  },
  {
    tries: 'a next page of its tags at such an address',
    ...NOT_INWARD,
    bend: (stage) =>
      stage.answer('tags-list', {
        kind: 'status',
        status: 200,
        headers: { link: `<${METADATA}>; rel="next"` },
        body: JSON.stringify({ tags: [] }),
      }),
    ends: always('REDIRECT_REFUSED'),
  },
  {
    ...LAYER_ELSEWHERE,
    ends: always('SIZE_MISMATCH'),
  },
  {
    tries: 'a realm at another host, over plain HTTP',
    page: 'security.md',
    says: 'a realm at another host, over plain HTTP | nothing: `REDIRECT_REFUSED`',
    bend: (stage) => {
      const challenge = `Bearer realm="${stage.strangers.plain.url}/token",service="x"`;
      const headers = { 'www-authenticate': challenge };
      stage.answer('manifest-get', { kind: 'status', status: 401, headers });
    },
    ends: always('REDIRECT_REFUSED'),
  },
  {
    tries: 'a realm at what a cloud tells its machines',
    page: 'security.md',
    says: 'a realm at an internal service of a cloud, or on this machine if the registry is elsewhere | nothing: `REDIRECT_REFUSED`',
    bend: (stage) => {
      const headers = { 'www-authenticate': `Bearer realm="${METADATA}",service="x"` };
      stage.answer('manifest-get', { kind: 'status', status: 401, headers });
    },
    ends: always('REDIRECT_REFUSED'),
  },
  {
    tries: 'a realm that gives something else for a token',
    page: 'security.md',
    says: 'Sizes, counts, depths and times of everything received have limits.',
    bend: (stage) => {
      const realm = `${stage.registry.url}/v2/${stage.repository}/referrers/token`;
      const headers = { 'www-authenticate': `Bearer realm="${realm}",service="x"` };
      stage.answer('manifest-get', { kind: 'status', status: 401, headers });
      stage.answer('referrers', { kind: 'status', status: 200, body: '{"token":[{}],"access_token":1}' });
    },
    ends: always('REGISTRY_BROKEN'),
  },
  {
    tries: 'a layer that it does not have, at addresses in the manifest',
    page: 'how-sync-decides.md',
    says: 'All other layers are required, also those with addresses elsewhere (`urls`).',
    bend: async (stage) => {
      const { config, mediaType } = stage.child;
      const layers = [{ ...absent(LAYER, 'absent'), urls: addresses(stage) }];
      await stage.sign(stage.offer({ mediaType, ...{ schemaVersion: 2, config, layers } }));
    },
    ends: always('NOT_FOUND'),
  },
  {
    tries: 'a layer that is not distributed, at addresses in the manifest',
    page: 'how-sync-decides.md',
    says: 'If the source lacks them, or the destination refuses them, the run leaves them out and warns each night',
    bend: async (stage) => {
      const { config, mediaType, layers } = stage.child;
      const foreign = { ...absent(FOREIGN_LAYER, 'absent'), urls: addresses(stage) };
      const body = { schemaVersion: 2, config, layers: [foreign, ...layers] };
      await stage.sign(stage.offer({ mediaType, ...body }));
    },
    ends: {
      off: { copied: 'offered', layersLeftOut: 1 },
      warn: { copied: 'offered', layersLeftOut: 1, signature: 'verified' },
      require: { copied: 'offered', layersLeftOut: 1, signature: 'verified' },
    },
  },
  {
    tries: 'commands for a workflow and a terminal in what it complains of',
    page: 'security.md',
    says: 'Texts of others are data: they become no command of a workflow, no markup or link of a summary, no escape of a terminal.',
    bend: (stage) => {
      const message = '\u001b[2J\u009b31m\n::add-mask::v\r\n::set-output name=a::b';
      const body = JSON.stringify({ errors: [{ code: 'DENIED', message }] });
      stage.answer('manifest-get', { kind: 'status', status: 403, body }, stage.genuine.digest);
    },
    ends: always('DENIED'),
  },
];
