const EIGHTHS = ['', '▏', '▎', '▍', '▌', '▋', '▊', '▉'] as const;

/**
 * Returns a bar of block characters: `width` of them for the fraction 1, at least an eighth of one for any fraction
 * above 0.
 */
export function bar(fraction: number, width: number): string {
  const eighths = Math.ceil(fraction * width * 8);
  return `${'█'.repeat(Math.floor(eighths / 8))}${EIGHTHS[eighths % 8] ?? ''}`;
}
