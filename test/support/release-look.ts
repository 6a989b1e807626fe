import { createHash } from 'node:crypto';

/** An asset; `starter` is what a broken upload leaves. */
export interface Asset {
  readonly id: number;
  readonly name: string;
  readonly state: 'uploaded' | 'starter';
  readonly content: Buffer;
}

export interface Release {
  readonly id: number;
  readonly tag: string;
  name: string;
  body: string;
  draft: boolean;
  readonly assets: Asset[];
}

/** How releases look in the answers of the API. */
export class ReleaseLook {
  readonly #url: string;
  readonly #repository: string;
  readonly #tellsDigests: boolean;

  constructor(url: string, repository: string, tellsDigests: boolean) {
    this.#url = url;
    this.#repository = repository;
    this.#tellsDigests = tellsDigests;
  }

  describe(release: Release): object {
    const { id, tag, name, body, draft, assets } = release;
    return {
      ...{ id, tag_name: tag, name, body, draft },
      html_url: `${this.#url}/${this.#repository}/releases/tag/${tag}`,
      upload_url: `${this.#url}/uploads/repos/${this.#repository}/releases/${id}/assets{?name,label}`,
      assets: assets.map((asset) => this.describeAsset(asset, id)),
    };
  }

  describeAsset(asset: Asset, releaseId: number): object {
    const hex = createHash('sha256').update(asset.content).digest('hex');
    const tells = asset.state === 'uploaded' && this.#tellsDigests;
    return {
      id: asset.id,
      name: asset.name,
      state: asset.state,
      size: asset.content.length,
      digest: tells ? `sha256:${hex}` : null,
      browser_download_url: `${this.#url}/download/${releaseId}/${asset.name}`,
    };
  }
}
