/** The first bytes of formats whose content deflate cannot shrink: gzip, zstd, xz, zip, bzip2. */
const MAGIC_NUMBERS: readonly Buffer[] = [
  Buffer.from([0x1f, 0x8b, 0x08]),
  Buffer.from([0x28, 0xb5, 0x2f, 0xfd]),
  Buffer.from([0xfd, 0x37, 0x7a, 0x58, 0x5a, 0x00]),
  Buffer.from([0x50, 0x4b, 0x03, 0x04]),
  Buffer.from([0x42, 0x5a, 0x68]),
];

const SAMPLES = 8;
const SAMPLE_SIZE = 1024;
/** Random bytes reach 7.97 bits in such samples, gzip data 7.95 and more, programs and text under 7.6. */
const DENSE_BITS_PER_BYTE = 7.9;

/** Returns whether content that begins like this is in a compressed format. */
export function beginsCompressed(content: Buffer): boolean {
  return MAGIC_NUMBERS.some((magic) => content.subarray(0, magic.length).equals(magic));
}

/**
 * Returns whether samples of some bytes use all byte values equally often, as compressed and encrypted ones do. Takes
 * about ten microseconds, whatever the length.
 */
export function looksDense(bytes: Buffer): boolean {
  if (bytes.length < SAMPLES * SAMPLE_SIZE) return false;
  const counts = new Uint32Array(256);
  const step = Math.floor((bytes.length - SAMPLE_SIZE) / (SAMPLES - 1));
  for (let sample = 0; sample < SAMPLES; sample += 1) {
    for (const byte of bytes.subarray(sample * step, sample * step + SAMPLE_SIZE)) {
      counts[byte] = (counts[byte] ?? 0) + 1;
    }
  }
  const total = SAMPLES * SAMPLE_SIZE;
  let bits = 0;
  for (const count of counts) {
    if (count > 0) bits -= (count / total) * Math.log2(count / total);
  }
  return bits > DENSE_BITS_PER_BYTE;
}
