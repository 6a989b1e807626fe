/** Writes one value of DER. https://www.itu.int/rec/T-REC-X.690 */
export function der(tag: number, ...contents: readonly Buffer[]): Buffer {
  const content = Buffer.concat(contents);
  return Buffer.concat([Buffer.from([tag]), derLength(content.length), content]);
}

function derLength(length: number): Buffer {
  if (length < 0x80) return Buffer.from([length]);
  const bytes: number[] = [];
  for (let left = length; left > 0; left = Math.floor(left / 256)) bytes.unshift(left % 256);
  return Buffer.from([0x80 + bytes.length, ...bytes]);
}

export function sequence(...contents: readonly Buffer[]): Buffer {
  return der(0x30, ...contents);
}

export function setOf(...contents: readonly Buffer[]): Buffer {
  return der(0x31, ...contents);
}

/** Writes a number below 128. */
export function integer(value: number): Buffer {
  return der(0x02, Buffer.from([value]));
}

export function octets(content: Buffer): Buffer {
  return der(0x04, content);
}

export function bits(content: Buffer): Buffer {
  return der(0x03, Buffer.from([0]), content);
}

export function yes(): Buffer {
  return der(0x01, Buffer.from([0xff]));
}

export function utf8(text: string): Buffer {
  return der(0x0c, Buffer.from(text));
}

/** Writes a time such as `20260601120000.5Z`. */
export function generalizedTime(text: string): Buffer {
  return der(0x18, Buffer.from(text));
}

/** Writes an object identifier such as `2.5.29.17`. */
export function oid(dotted: string): Buffer {
  const [first = 0, second = 0, ...others] = dotted.split('.').map(Number);
  const bytes = others.flatMap((arc) => {
    const digits = [arc % 128];
    for (let left = Math.floor(arc / 128); left > 0; left = Math.floor(left / 128)) {
      digits.unshift(0x80 + (left % 128));
    }
    return digits;
  });
  return der(0x06, Buffer.from([first * 40 + second, ...bytes]));
}

/** Writes the name of somebody who issues certificates. */
export function commonName(name: string): Buffer {
  return sequence(setOf(sequence(oid('2.5.4.3'), utf8(name))));
}

/** Returns a time as GeneralizedTime has it, in whole seconds. */
export function timeText(time: Date): string {
  return `${time.toISOString().replaceAll(/[-:T]/g, '').slice(0, 14)}Z`;
}
