import { z } from 'zod';
import type { Blob, BlobStore } from './blob-store.ts';
import type { Answer } from './cache-entries.ts';

const RunAndJob = { workflow_run_backend_id: z.string(), workflow_job_run_backend_id: z.string() };
const CreateRequest = z.object({
  ...RunAndJob,
  name: z.string(),
  version: z.number(),
  mime_type: z.string().optional(),
});
const FinalizeRequest = z.object({
  ...RunAndJob,
  name: z.string(),
  size: z.string(),
  hash: z.string().optional(),
});
const ListRequest = z.object({
  ...RunAndJob,
  name_filter: z.string().optional(),
  id_filter: z.string().optional(),
});
const NamedRequest = z.object({ ...RunAndJob, name: z.string() });

/** An artifact as the service keeps it. */
export interface Artifact {
  readonly id: number;
  readonly run: string;
  readonly job: string;
  readonly name: string;
  readonly mimeType: string;
  readonly blob: Blob;
  size: string | undefined;
  digest: string | undefined;
}

const NOT_FOUND: Answer = { status: 404, body: { code: 'not_found', msg: 'artifact not found' } };

/** The artifact service, version 4: names are taken once in a run. */
export class Artifacts {
  readonly artifacts: Artifact[] = [];
  readonly #blobs: BlobStore;
  #nextId = 1;

  constructor(blobs: BlobStore) {
    this.#blobs = blobs;
  }

  create(request: unknown, origin: string): Answer {
    const wanted = CreateRequest.parse(request);
    if (this.#find(wanted.workflow_run_backend_id, wanted.name) !== undefined) {
      const msg = 'an artifact with this name already exists on the workflow run';
      return { status: 409, body: { code: 'already_exists', msg } };
    }
    const mimeType = wanted.mime_type ?? 'application/zip';
    const blob = this.#blobs.create(mimeType === 'application/zip' ? `${wanted.name}.zip` : wanted.name);
    this.artifacts.push({
      id: this.#nextId++,
      run: wanted.workflow_run_backend_id,
      job: wanted.workflow_job_run_backend_id,
      name: wanted.name,
      mimeType,
      blob,
      size: undefined,
      digest: undefined,
    });
    return { status: 200, body: { ok: true, signed_upload_url: this.#blobs.sign(blob, origin) } };
  }

  finalize(request: unknown): Answer {
    const { workflow_run_backend_id: run, name, size, hash } = FinalizeRequest.parse(request);
    const artifact = this.#find(run, name);
    if (artifact === undefined) return NOT_FOUND;
    if (String(artifact.blob.bytes?.length) !== size) {
      return { status: 400, body: { code: 'invalid_argument', msg: 'size does not match the upload' } };
    }
    artifact.size = size;
    artifact.digest = hash;
    artifact.blob.contentType = artifact.mimeType;
    return { status: 200, body: { ok: true, artifact_id: String(artifact.id) } };
  }

  list(request: unknown): Answer {
    const wanted = ListRequest.parse(request);
    const artifacts = this.artifacts
      .filter((artifact) => artifact.run === wanted.workflow_run_backend_id && artifact.size !== undefined)
      .filter((artifact) => wanted.name_filter === undefined || artifact.name === wanted.name_filter)
      .filter((artifact) => wanted.id_filter === undefined || String(artifact.id) === wanted.id_filter)
      .map((artifact) => ({
        workflow_run_backend_id: artifact.run,
        workflow_job_run_backend_id: artifact.job,
        database_id: String(artifact.id),
        name: artifact.name,
        size: artifact.size,
        created_at: '2026-01-01T00:00:00Z',
        ...(artifact.digest === undefined ? {} : { digest: artifact.digest }),
      }));
    return { status: 200, body: { artifacts } };
  }

  address(request: unknown, origin: string): Answer {
    const { workflow_run_backend_id: run, name } = NamedRequest.parse(request);
    const artifact = this.#find(run, name);
    if (artifact === undefined) return NOT_FOUND;
    return { status: 200, body: { signed_url: this.#blobs.sign(artifact.blob, origin) } };
  }

  remove(request: unknown): Answer {
    const { workflow_run_backend_id: run, name } = NamedRequest.parse(request);
    const artifact = this.#find(run, name);
    if (artifact === undefined) return NOT_FOUND;
    this.artifacts.splice(this.artifacts.indexOf(artifact), 1);
    return { status: 200, body: { ok: true, artifact_id: String(artifact.id) } };
  }

  #find(run: string, name: string): Artifact | undefined {
    return this.artifacts.find((artifact) => artifact.run === run && artifact.name === name);
  }
}
