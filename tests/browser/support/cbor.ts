/** The small part of CBOR (RFC 8949) that the engine's rows are made of, for seeding a browser with a long history. */

export type Value = number | string | boolean | null | Uint8Array | Value[] | Map<Value, Value>;

export function decode(bytes: Uint8Array): Value {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let at = 0;
  const length = (info: number): number => {
    if (info < 24) return info;
    const size = 1 << (info - 24);
    const value = size === 1 ? view.getUint8(at) : size === 2 ? view.getUint16(at) : size === 4 ? view.getUint32(at) : Number(view.getBigUint64(at));
    at += size;
    return value;
  };
  const take = (count: number): Uint8Array => bytes.slice(at, (at += count));
  const item = (): Value => {
    const head = view.getUint8(at++);
    const info = head & 31;
    switch (head >> 5) {
      case 0:
        return length(info);
      case 1:
        return -1 - length(info);
      case 2:
        return take(length(info));
      case 3:
        return new TextDecoder().decode(take(length(info)));
      case 4:
        return Array.from({ length: length(info) }, item);
      case 5:
        return new Map(Array.from({ length: length(info) }, (): [Value, Value] => [item(), item()]));
      default:
        if (info === 20 || info === 21) return info === 21;
        if (info === 22) return null;
        throw new Error(`CBOR head ${head}`);
    }
  };
  return item();
}

export function encode(value: Value): Uint8Array {
  const out: number[] = [];
  const head = (major: number, count: number): void => {
    const kind = major << 5;
    if (count < 24) out.push(kind | count);
    else if (count < 0x100) out.push(kind | 24, count);
    else if (count < 0x1_0000) out.push(kind | 25, count >> 8, count & 255);
    else {
      const wide = count > 0xffff_ffff;
      out.push(kind | (wide ? 27 : 26));
      for (let shift = wide ? 7 : 3; shift >= 0; shift -= 1) out.push(Math.floor(count / 256 ** shift) % 256);
    }
  };
  const item = (one: Value): void => {
    if (typeof one === 'number') head(one < 0 ? 1 : 0, one < 0 ? -1 - one : one);
    else if (typeof one === 'boolean') out.push(one ? 0xf5 : 0xf4);
    else if (one === null) out.push(0xf6);
    else if (typeof one === 'string') {
      const text = new TextEncoder().encode(one);
      head(3, text.length);
      out.push(...text);
    } else if (one instanceof Uint8Array) {
      head(2, one.length);
      out.push(...one);
    } else if (Array.isArray(one)) {
      head(4, one.length);
      one.forEach(item);
    } else {
      head(5, one.size);
      for (const [key, part] of one) {
        item(key);
        item(part);
      }
    }
  };
  item(value);
  return Uint8Array.from(out);
}
