import { Failure } from '../../lib/failure.ts';

/**
 * Returns where to upload an asset, from the address template in a release (RFC 6570, `…/assets{?name,label}`). The
 * request carries the token, so the host has to be the API's own or its host for uploads (`uploads.github.com` for
 * `api.github.com`), with a scheme that is no weaker than the API's. Throws `REDIRECT_REFUSED`.
 */
export function releaseUploadAddress(api: URL, template: string, name: string): URL {
  const address = URL.parse(template.endsWith('}') ? template.slice(0, template.indexOf('{')) : template);
  const beside = `uploads.${api.host.replace(/^api\./, '')}`;
  const isKnown = address?.host === api.host || address?.host === beside;
  if (address === null || !isKnown || (address.protocol !== 'https:' && address.protocol !== api.protocol)) {
    throw new Failure({
      code: 'REDIRECT_REFUSED',
      about: api.host,
      message: `it directs the package and the token to ${address?.origin ?? 'an invalid address'}`,
      hint: `packer uploads only to ${api.host} or ${beside}; it sent nothing`,
    });
  }
  address.username = '';
  address.password = '';
  address.searchParams.set('name', name);
  return address;
}
