const EIGHTHS = ['', '▏', '▎', '▍', '▌', '▋', '▊', '▉'] as const;

/** Returns a bar of letters, `width` of them for the fraction 1, exact to an eighth; anything above nothing can be seen. */
export function bar(fraction: number, width: number): string {
  const eighths = Math.ceil(fraction * width * 8);
  return `${'█'.repeat(Math.floor(eighths / 8))}${EIGHTHS[eighths % 8] ?? ''}`;
}
