import { join } from 'node:path';
import { afterAll, beforeAll, expect } from 'vitest';
import { readReport } from '../../src/sync/report/report-file.ts';
import { Desk } from '../support/built-synctl.ts';
import { DockerRegistry } from '../support/docker-registry.ts';
import { type Image, ImageMaker } from '../support/images/image.ts';
import { PlainPush } from '../support/images/push.ts';
import { Nginx, type NginxConfiguration, passingTo } from '../support/nginx.ts';
import { PUBLIC_TOKENS } from '../support/registry/access.ts';
import { startRegistry, type TestRegistry } from '../support/registry/registry.ts';
import { seedMade } from '../support/registry/seed.ts';
import { AUTHORITY_FILE } from '../support/test-authority.ts';
import { LOGIN } from '../support/token-server.ts';
import { describeTrials } from '../support/trials.ts';

const MEBIBYTE = 1024 * 1024;

describeTrials('nginx', ['docker-registry'], (trial) => {
  let source: TestRegistry;
  let image: Image;
  let small: readonly Image[];

  beforeAll(async () => {
    source = await startRegistry({ access: PUBLIC_TOKENS });
    const maker = new ImageMaker();
    image = await maker.make({
      platforms: ['linux/amd64', 'linux/arm64'],
      own: [{ name: 'large', size: 6 * MEBIBYTE }],
    });
    seedMade(source.storage, 'app', 'v1', image);
    small = await Promise.all(
      Array.from({ length: 12 }, (_, at) => maker.make({ own: [{ name: `small ${at}`, size: 1000 }] })),
    );
    for (const [at, one] of small.entries()) seedMade(source.storage, 'many', `v1.${at}`, one);
  });

  afterAll(() => source.close());

  /** Mirrors repositories to a registry behind nginx, and returns what was said and what the registry has then. */
  async function mirror(
    configure: (origin: string) => NginxConfiguration,
    names: readonly string[] = ['app'],
    flags: readonly string[] = [],
  ) {
    await using registry = await DockerRegistry.start('token');
    await using nginx = await Nginx.start(configure(`https://${registry.host}`));
    const desk = new Desk(LOGIN);
    desk.write('image_set.json', { names });
    const route = ['--source', source.host, '--push-to', nginx.host, '--push-ns', 'mirror'];
    const files = ['--ca-file', AUTHORITY_FILE, '--report', 'report.json'];
    const said = await desk.run('sync', ...route, ...files, ...flags);
    const { requests } = readReport(join(desk.folder, 'report.json'));
    const behind = new PlainPush(registry);
    return {
      ...said,
      digest: await behind.digestOf('mirror/app', 'v1'),
      tags: await behind.tags('mirror/many'),
      retried: requests.find(({ host }) => host === nginx.host)?.retried,
    };
  }

  trial(
    'a registry behind it is filled over TLS, and over HTTP/1.1 where HTTP/2 is offered too',
    async () => {
      const said = await mirror((origin) => ({
        http2: true,
        server: `client_max_body_size 0; location / { ${passingTo(origin)} }`,
      }));
      expect(said).toMatchObject({ code: 0, digest: image.digest });
    },
  );

  for (const [how, buffering] of [
    ['with requests and answers in temporary files', 'proxy_request_buffering on; proxy_buffering on;'],
    ['without buffers', 'proxy_request_buffering off; proxy_buffering off;'],
  ] as const) {
    trial(`a registry behind it is filled ${how}`, async () => {
      const said = await mirror((origin) => ({
        server: `client_max_body_size 0; ${buffering} location / { ${passingTo(origin)} }`,
      }));
      expect(said).toMatchObject({ code: 0, digest: image.digest });
    });
  }

  trial('a registry behind it is filled in chunks that fit where nginx accepts bodies of 2 MiB', async () => {
    const said = await mirror((origin) => ({
      server: `client_max_body_size 2m; location / { ${passingTo(origin)} }`,
    }));
    expect(said).toMatchObject({ code: 0, digest: image.digest });
  });

  trial('a refused push names the limit where nginx accepts next to nothing', async () => {
    const said = await mirror((origin) => ({
      server: `client_max_body_size 100k; location / { ${passingTo(origin)} }`,
    }));
    expect(said).toMatchObject({ code: 1, digest: undefined });
    expect(said.stdout + said.stderr).toContain('client_max_body_size');
  });

  trial('doctor reports the limit, and leaves nothing, where nginx accepts next to nothing', async () => {
    await using registry = await DockerRegistry.start('token');
    const doctor = async (limit: string) => {
      const server = `client_max_body_size ${limit}; location / { ${passingTo(`https://${registry.host}`)} }`;
      await using nginx = await Nginx.start({ server });
      const desk = new Desk(LOGIN);
      desk.write('image_set.json', { names: ['app'] });
      const route = ['--source', source.host, '--push-to', nginx.host, '--push-ns', 'mirror'];
      return await desk.run('doctor', ...route, '--ca-file', AUTHORITY_FILE);
    };
    const small = await doctor('4k');
    expect(small.stdout).toMatch(/✗ in part .* size .* 413.*client_max_body_size/);
    expect(small.code).toBe(1);
    const usual = await doctor('1m');
    expect(usual.stdout).toMatch(/✓ ok .* size +it accepts a request of 1(?:\.0)? MiB/);
    expect(usual.code).toBe(0);
    expect(await new PlainPush(registry).tags('mirror/app')).toEqual([]);
  });

  for (const status of [429, 503]) {
    trial(`a registry behind it is filled where it limits the rate with status ${status}`, async () => {
      const said = await mirror(
        (origin) => ({
          http: `limit_req_zone $binary_remote_addr zone=all:1m rate=20r/s; limit_req_status ${status};`,
          server: `limit_req zone=all burst=2 nodelay; location / { ${passingTo(origin)} }`,
        }),
        ['many'],
        ['--retry', '12', '--retry-interval', '100ms'],
      );
      expect(said.code).toBe(0);
      expect(said.retried).toBeGreaterThan(0);
      expect(said.tags).toHaveLength(small.length);
    });
  }

  trial(
    'a registry behind it is filled where nginx has its own pages, also for what is not there',
    async () => {
      const said = await mirror((origin) => ({
        server: `client_max_body_size 0; error_page 404 /page; proxy_intercept_errors on;
        proxy_hide_header Docker-Distribution-Api-Version;
        location = /page { internal; default_type text/html; return 404 '<html>nothing here</html>'; }
        location = /v2/ { return 404; }
        location / { ${passingTo(origin)} }`,
      }));
      expect(said.stderr).not.toContain('no registry');
      expect(said).toMatchObject({ code: 0, digest: image.digest });
    },
  );

  trial('a registry is filled where its uploads lie below another path', async () => {
    await using registry = await DockerRegistry.start('token', { prefix: '/inner/' });
    await using nginx = await Nginx.start({
      server: `client_max_body_size 0;
        location /v2/ { rewrite ^/v2/(.*)$ /inner/v2/$1 break; ${passingTo(`https://${registry.host}`)} }
        location /inner/ { ${passingTo(`https://${registry.host}`)} }`,
    });
    const desk = new Desk(LOGIN);
    desk.write('image_set.json', { names: ['app'] });
    const route = ['--source', source.host, '--push-to', nginx.host, '--push-ns', 'mirror'];
    const said = await desk.run('sync', ...route, '--ca-file', AUTHORITY_FILE);
    expect(said).toMatchObject({ code: 0, stderr: '' });
    const checked = await desk.run('check', 'app:v1', ...route, '--ca-file', AUTHORITY_FILE);
    expect(checked.stdout).toContain('mirrored: ');
  });

  trial('a registry behind it is read as a source', async () => {
    await using registry = await DockerRegistry.start('token');
    await using upstream = await DockerRegistry.start('token');
    await new PlainPush(upstream).push('app', 'v1', image);
    await using nginx = await Nginx.start({
      http2: true,
      server: `location / { ${passingTo(`https://${upstream.host}`)} }`,
    });
    const desk = new Desk(LOGIN);
    desk.write('image_set.json', { names: ['app'] });
    const route = ['--source', nginx.host, '--push-to', registry.host, '--push-ns', 'mirror'];
    expect(await desk.run('sync', ...route, '--ca-file', AUTHORITY_FILE)).toMatchObject({ code: 0 });
    expect(await new PlainPush(registry).digestOf('mirror/app', 'v1')).toBe(image.digest);
  });
});
