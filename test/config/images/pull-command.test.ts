import { expect, test } from 'vitest';
import { pulledImages, pulledInScript } from '../../../src/config/images/pull-command.ts';

test.each([
  ['docker pull nginx', ['nginx']],
  ['$ sudo docker pull -q --platform linux/amd64 nginx:1.29', ['nginx:1.29']],
  ['docker image pull --platform=linux/arm64 nginx', ['nginx']],
  ['crictl pull --creds robot:secret registry.example/app:1', ['registry.example/app:1']],
  ['ctr -n k8s.io images pull registry.example/app:1', ['registry.example/app:1']],
  ['nerdctl --namespace k8s.io pull nginx', ['nginx']],
  [
    'docker pull nginx:1 && docker pull redis:8; podman pull postgres:18',
    ['nginx:1', 'redis:8', 'postgres:18'],
  ],
  ['docker pull nginx:1 && echo done', ['nginx:1']],
  ['docker pull nginx:1 >/dev/null 2>&1', ['nginx:1']],
  ['docker pull nginx:1 2> errors.txt | tee log', ['nginx:1']],
  ['docker pull nginx:1;docker pull redis:8&', ['nginx:1', 'redis:8']],
  ['(docker pull nginx:1)', ['nginx:1']],
  ['DOCKER_HOST=x sudo -E /usr/bin/docker pull nginx:1', ['nginx:1']],
  ['crane pull nginx:1 nginx.tar', ['nginx:1']],
  ['docker pull $(cat image.txt)', ['$(cat', 'image.txt)']],
  ['docker compose pull web', undefined],
  ['docker pull', []],
  ['docker run nginx', undefined],
  ['echo done && docker pull nginx', undefined],
  ['pull nginx', undefined],
  ['', undefined],
])('%s pulls %j', (line, images) => {
  expect(pulledImages(line)?.map(({ text }) => text)).toEqual(images);
});

test('an image has its distance from the start of the line', () => {
  expect(pulledImages('  docker pull  nginx')).toEqual([{ text: 'nginx', offset: 15 }]);
});

test.each([
  ['set -e; docker pull nginx:1', ['nginx:1']],
  ['if true; then docker pull nginx:1; fi', ['nginx:1']],
  ['for i in 1 2; do docker pull redis:8; done', ['redis:8']],
  ['echo pulling', undefined],
  ['docker compose pull web', undefined],
])('the line of a script %s pulls %j', (line, images) => {
  expect(pulledInScript(line)?.map(({ text }) => text)).toEqual(images);
  expect(pulledInScript(line)?.some(({ runner }) => runner !== undefined)).not.toBe(true);
});

test('what another command is given in a script may not be pulled', () => {
  expect(pulledInScript('retry 3 docker pull nginx:1')).toEqual([
    { text: 'nginx:1', offset: 20, runner: 'retry' },
  ]);
  expect(pulledInScript('echo "docker pull failed"')).toEqual([]);
});
