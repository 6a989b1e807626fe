import { createHash, randomBytes } from 'node:crypto';
import { mkdir, mkdtempDisposable, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { Job, type ProcessResult } from './action-runner.ts';
import { ActionsService } from './actions-service/service.ts';

const CACHE = path.resolve('test/fixtures/actions/cache');
const ARTIFACT = path.resolve('test/fixtures/actions/artifact');

/** Starts the service and returns a function that runs one step of a fresh job in a workspace that stays. */
async function start() {
  const folder = await mkdtempDisposable(path.join(tmpdir(), 'keel-service-'));
  const service = await ActionsService.start();
  onTestFinished(async () => {
    await service[Symbol.asyncDispose]();
    await folder.remove();
  });
  const workspace = path.join(folder.path, 'workspace');
  await mkdir(path.join(workspace, 'kept'), { recursive: true });
  const step = async (
    action: string,
    inputs: Record<string, string>,
    env: Record<string, string> = {},
  ): Promise<ProcessResult> => {
    const job = await Job.start({ folder: folder.path, env: { ...service.environment(), ...env } });
    return job.step({ action, with: inputs });
  };
  const keep = (text: string) => writeFile(path.join(workspace, 'kept/file'), text);
  const kept = () => readFile(path.join(workspace, 'kept/file'), 'utf8');
  const save = async (key: string, text: string, env?: Record<string, string>) => {
    await keep(text);
    return step(CACHE, { do: 'save', key }, env);
  };
  const restore = async (key: string, prefix = '', env?: Record<string, string>) => {
    await rm(path.join(workspace, 'kept'), { recursive: true, force: true });
    const { outputs, log } = await step(CACHE, { do: 'restore', key, prefix }, env);
    await mkdir(path.join(workspace, 'kept'), { recursive: true });
    return { result: outputs['result'], text: await kept().catch(() => undefined), log };
  };
  return { service, workspace, step, save, restore };
}

test('caches are found by key and by prefix, the newest first', async () => {
  const { service, save, restore } = await start();
  await save('state-1', 'first');
  await save('state-2', 'second');
  expect(await restore('state-1')).toMatchObject({ result: 'state-1', text: 'first' });
  expect(await restore('state-3', 'state-')).toMatchObject({ result: 'state-2', text: 'second' });
  expect(await restore('other', 'oth-')).toMatchObject({ result: 'undefined', text: undefined });
  expect(service.caches.map(({ key, finished }) => ({ key, finished }))).toEqual([
    { key: 'state-1', finished: true },
    { key: 'state-2', finished: true },
  ]);
});

test('a key is taken once', async () => {
  const { service, save, restore } = await start();
  await save('state-1', 'first');
  const second = await save('state-1', 'second');
  expect(second.outputs['result']).toBe('-1');
  expect(second.log.text).toContain('another job may be creating this cache');
  expect(service.journal.map(({ call, status }) => `${call} ${status}`)).toEqual([
    'CreateCacheEntry 200',
    'upload 201',
    'FinalizeCacheEntryUpload 200',
    'CreateCacheEntry 409',
  ]);
  expect(await restore('state-1')).toMatchObject({ text: 'first' });
});

test('a branch sees its own caches before those of the default branch, and no other', async () => {
  const { service, save, restore } = await start();
  const main = service.environment();
  const branch = service.environment({
    scopes: [
      { branch: 'refs/heads/topic', access: 'write' },
      { branch: 'refs/heads/main', access: 'read' },
    ],
  });
  await save('state-1', 'of main', main);
  expect(await restore('x', 'state-', branch)).toMatchObject({ text: 'of main' });
  await save('state-0', 'of topic', branch);
  await save('state-2', 'newer of main', main);
  expect(await restore('x', 'state-', branch)).toMatchObject({ text: 'of topic' });
  expect(await restore('x', 'state-', main)).toMatchObject({ text: 'newer of main' });
});

test('a job that may only read cannot save, one that may nothing cannot restore', async () => {
  const { service, save, restore } = await start();
  const reader = service.environment({ scopes: [{ branch: 'refs/heads/main', access: 'read' }] });
  const nobody = service.environment({ scopes: [] });
  await save('state-1', 'first');
  const denied = await save('state-2', 'second', reader);
  expect(denied.log.annotations.map(({ message }) => message).join()).toContain('cache write denied');
  expect(await restore('x', 'state-', reader)).toMatchObject({ text: 'first' });
  const refused = await restore('x', 'state-', nobody);
  expect(refused.text).toBeUndefined();
  expect(refused.log.annotations.map(({ message }) => message).join()).toContain('cache read denied');
});

test('a damaged blob, a cut connection and a service that is down are failures the toolkit survives', async () => {
  const { service, save, restore } = await start();
  await save('state-1', 'first');
  service.disturb({ call: 'download', times: 1, damage: true });
  expect(await restore('state-1')).toMatchObject({ result: 'undefined', text: undefined });
  service.disturb({ call: 'GetCacheEntryDownloadURL', times: 1, cut: true });
  expect((await restore('state-1')).result).toBe('undefined');
  await service.hangUp();
  expect((await restore('state-1')).result).toBe('undefined');
  await service.listen();
  expect(await restore('state-1')).toMatchObject({ text: 'first' });
});

test('a call can fail a number of times before it succeeds', async () => {
  const { service, save } = await start();
  service.disturb({ call: 'upload', status: 503, times: 2 });
  expect((await save('state-1', 'first')).outputs['result']).toBe('1');
  expect(service.journal.filter(({ call }) => call === 'upload').map(({ status }) => status)).toEqual([
    503, 503, 201,
  ]);
});

test('an artifact is uploaded zipped, listed and downloaded', async () => {
  const { workspace, step } = await start();
  await writeFile(path.join(workspace, 'report.json'), '{"copied":1}');
  await step(ARTIFACT, { do: 'upload', name: 'report', file: 'report.json' });
  const download = await step(ARTIFACT, { do: 'download', name: 'report' });
  expect(JSON.parse(download.outputs['result'] ?? '')).toEqual({ names: ['report'], digestMismatch: false });
  expect(await readFile(path.join(workspace, 'downloaded/report.json'), 'utf8')).toBe('{"copied":1}');
});

test('an artifact uploaded raw keeps its bytes and is called by its file name', async () => {
  const { service, workspace, step } = await start();
  const bytes = randomBytes(9 << 20);
  await writeFile(path.join(workspace, 'package.tar.gz'), bytes);
  const upload = await step(ARTIFACT, { do: 'upload', name: 'ignored', file: 'package.tar.gz', raw: 'true' });
  const digest = createHash('sha256').update(bytes).digest('hex');
  expect(JSON.parse(upload.outputs['result'] ?? '')).toEqual({ id: 1, digest, size: bytes.length });
  expect(service.artifacts.map(({ name, blob }) => ({ name, blocks: blob.blocks.size }))).toEqual([
    { name: 'package.tar.gz', blocks: 2 },
  ]);
  await step(ARTIFACT, { do: 'download', name: 'package.tar.gz' });
  expect(await readFile(path.join(workspace, 'downloaded/package.tar.gz'))).toEqual(bytes);
});

test('the name of an artifact is taken once in a run, and free again when it is deleted', async () => {
  const { service, workspace, step } = await start();
  await writeFile(path.join(workspace, 'report.json'), '{}');
  const inputs = { do: 'upload', name: 'report', file: 'report.json' };
  await step(ARTIFACT, inputs);
  const second = await step(ARTIFACT, inputs);
  expect(second.exitCode).toBe(1);
  expect(second.log.annotations.map(({ message }) => message).join()).toContain('already exists');
  expect((await step(ARTIFACT, inputs, service.environment({ run: 'run-2' }))).exitCode).toBe(0);
  await step(ARTIFACT, { do: 'delete', name: 'report' });
  expect((await step(ARTIFACT, inputs)).exitCode).toBe(0);
});
