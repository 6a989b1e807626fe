import type { TestRegistry } from './registry.ts';

/** Sends a request to a test registry, as it is: redirects are not followed. */
export function ask(registry: TestRegistry, path: string, init: RequestInit = {}): Promise<Response> {
  return fetch(new URL(path, registry.url), { redirect: 'manual', ...init });
}

/** Returns an error answer as `status CODE`. */
export async function codeOf(answer: Response): Promise<string> {
  const { errors }: { errors: { code: string }[] } = JSON.parse(await answer.text());
  return `${answer.status} ${errors[0]?.code}`;
}

/** Opens an upload and returns its location. */
export async function openUpload(registry: TestRegistry, repository: string): Promise<string> {
  const answer = await ask(registry, `/v2/${repository}/blobs/uploads/`, { method: 'POST' });
  if (answer.status !== 202) throw new Error(`the upload was answered ${answer.status}`);
  return answer.headers.get('location') ?? '';
}
