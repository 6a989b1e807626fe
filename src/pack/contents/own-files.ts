import { z } from 'zod';
import { type OverlaySource, readOverlay } from './overlay.ts';

/** The folder package/ as JSON. It is empty in the sources; whoever bundles puts it here (scripts/embed-package.ts). */
const EMBEDDED_PACKAGE: string = '';

const shape = z.record(z.string(), z.object({ mode: z.number(), content: z.string() }));

/**
 * Returns the files that every package has: configuration, units and the installer. A bundle carries them within; when
 * the sources run unbundled, at the root of the repository, they are read from package/.
 */
export async function ownFiles(): Promise<OverlaySource[]> {
  if (EMBEDDED_PACKAGE === '') return readOverlay('package');
  const files = shape.parse(JSON.parse(EMBEDDED_PACKAGE));
  return Object.entries(files).map(([path, { mode, content }]) => ({
    path,
    about: `package/${path}`,
    content: Buffer.from(content, 'base64'),
    mode,
  }));
}
