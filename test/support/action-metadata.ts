import { readFile } from 'node:fs/promises';
import { parse } from 'yaml';
import { z } from 'zod';

const Scalar = z.union([z.string(), z.number(), z.boolean()]).transform(String);

const Metadata = z.object({
  name: z.string(),
  description: z.string(),
  author: z.string().optional(),
  branding: z.object({ icon: z.string(), color: z.string() }).optional(),
  inputs: z
    .record(
      z.string(),
      z.object({
        description: z.string(),
        required: z.boolean().optional(),
        default: Scalar.optional(),
        deprecationMessage: z.string().optional(),
      }),
    )
    .default({}),
  outputs: z.record(z.string(), z.object({ description: z.string() })).default({}),
  runs: z.object({
    using: z.literal('node24'),
    main: z.string(),
    post: z.string().optional(),
    'post-if': z.string().optional(),
  }),
});

/** An action.yml, as far as a runner reads it. */
export type ActionMetadata = z.infer<typeof Metadata>;

/** Reads an action.yml of a Node 24 action; anything a runner would refuse throws. */
export async function readActionMetadata(file: string): Promise<ActionMetadata> {
  return Metadata.parse(parse(await readFile(file, 'utf8')));
}
