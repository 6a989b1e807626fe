import { isMap, isSeq, type YAMLMap } from 'yaml';
import { asText, fieldOfMap, keyText } from '../../lib/text/yaml-map.ts';
import type { ImageMention } from './image-mention.ts';
import type { YamlAnchors } from './yaml-anchors.ts';

/** The image of a service in a compose file, and its place. */
interface ServiceImage extends Omit<ImageMention, 'line' | 'column'> {
  readonly node: unknown;
}

const CONFIG_HINT = 'use the output of "docker compose config"';

/** Returns the images of the services of a compose file. https://docs.docker.com/reference/compose-file/ */
export function composeImages(root: YAMLMap, anchors: YamlAnchors): readonly ServiceImage[] {
  const services = anchors.resolve(fieldOfMap(root, 'services'));
  const images = (isMap(services) ? services.items : []).flatMap(({ key, value }) => {
    const service = anchors.resolve(value);
    if (!isMap(service)) return [];
    return [...serviceImage(keyText(key), service, { key, anchors }), ...volumeImages(service, anchors)];
  });
  const included = fieldOfMap(root, 'include');
  const doubt = 'it includes other compose files, which keel-pkg does not read';
  return included === undefined
    ? images
    : [...images, { node: included, text: 'include', isNameless: true, doubt, hint: CONFIG_HINT }];
}

function serviceImage(
  name: string,
  service: YAMLMap,
  { key, anchors }: { readonly key: unknown; readonly anchors: YamlAnchors },
): readonly ServiceImage[] {
  const node = anchors.field(service, 'image');
  const text = asText(node);
  const isBuilt = anchors.field(service, 'build') !== undefined;
  if (text !== undefined) {
    const doubt = isBuilt ? `the service "${name}" builds it` : undefined;
    return [{ node, text, doubt, hint: isBuilt ? undefined : CONFIG_HINT }];
  }
  if (isBuilt)
    return [
      { node: key, text: name, isNameless: true, doubt: 'this service builds its image and names none' },
    ];
  const extended = anchors.field(service, 'extends');
  const isElsewhere = isMap(extended) && fieldOfMap(extended, 'file') !== undefined;
  const doubt = 'this service takes its image from another file';
  return isElsewhere ? [{ node: key, text: name, isNameless: true, doubt, hint: CONFIG_HINT }] : [];
}

/** Returns the images that a service mounts. https://docs.docker.com/reference/compose-file/services/#volumes */
function volumeImages(service: YAMLMap, anchors: YamlAnchors): readonly ServiceImage[] {
  const volumes = anchors.field(service, 'volumes');
  return (isSeq(volumes) ? volumes.items : []).flatMap((item) => {
    const volume = anchors.resolve(item);
    if (!isMap(volume) || asText(anchors.field(volume, 'type')) !== 'image') return [];
    const node = anchors.field(volume, 'source');
    const text = asText(node);
    return text === undefined ? [] : [{ node, text, hint: CONFIG_HINT }];
  });
}
