// bytes.js - hex, big-endian numbers, tagged hashes, Merkle roots (docs/spec/bytes.md).

import { sha256 } from "@noble/hashes/sha2";
import { keccak_256 } from "@noble/hashes/sha3";

const text = new TextEncoder();

export function hex(bytes) {
  return "0x" + Array.from(bytes, (b) => b.toString(16).padStart(2, "0")).join("");
}

export function unhex(string) {
  if (!/^0x([0-9a-f]{2})*$/i.test(string)) {
    throw new Error(`"${string}" is not 0x and hex digits`);
  }
  return Uint8Array.from(string.slice(2).match(/../g) ?? [], (pair) => parseInt(pair, 16));
}

export function concat(...parts) {
  const out = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    out.set(part, at);
    at += part.length;
  }
  return out;
}

export function equal(a, b) {
  return a.length === b.length && a.every((byte, i) => byte === b[i]);
}

export function u16(value) {
  return Uint8Array.of(value >> 8, value & 255);
}

export function u64(value) {
  const out = new Uint8Array(8);
  new DataView(out.buffer).setBigUint64(0, value);
  return out;
}

export function u32(value) {
  const out = new Uint8Array(4);
  new DataView(out.buffer).setUint32(0, value);
  return out;
}

// A reader of big-endian bytes that throws when they end too early.
export class Reader {
  constructor(bytes) {
    this.bytes = bytes;
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.at = 0;
  }
  take(size) {
    if (this.at + size > this.bytes.length) {
      throw new Error("the bytes end before the value does");
    }
    const out = this.bytes.subarray(this.at, this.at + size);
    this.at += size;
    return out;
  }
  u8() {
    return this.take(1)[0];
  }
  u16() {
    const part = this.take(2);
    return part[0] * 256 + part[1];
  }
  u32() {
    this.take(4);
    return this.view.getUint32(this.at - 4);
  }
  u64() {
    this.take(8);
    return this.view.getBigUint64(this.at - 8);
  }
  i64() {
    this.take(8);
    return this.view.getBigInt64(this.at - 8);
  }
  end() {
    if (this.at !== this.bytes.length) {
      throw new Error("bytes are left over after the value");
    }
  }
}

export function taggedHash(tag, ...parts) {
  const head = sha256(text.encode(tag));
  return sha256(concat(head, head, ...parts));
}

export { sha256 };

// The Merkle root of a list of byte strings, its count included.
export function merkleRoot(items) {
  if (items.length === 0) {
    return sha256(concat(Uint8Array.of(2), u32(0)));
  }
  let level = items.map((item) => sha256(concat(Uint8Array.of(0), item)));
  while (level.length > 1) {
    const above = [];
    for (let i = 0; i + 1 < level.length; i += 2) {
      above.push(sha256(concat(Uint8Array.of(1), level[i], level[i + 1])));
    }
    if (level.length % 2 === 1) {
      above.push(level[level.length - 1]);
    }
    level = above;
  }
  return sha256(concat(Uint8Array.of(2), u32(items.length), level[0]));
}

// Whether `path` leads from item `index` of `count` to the root of the list; a path that is too short or
// too long does not.
export function merkleHolds(root, item, path, index, count) {
  if (!(index >= 0 && index < count)) {
    return false;
  }
  let hash = sha256(concat(Uint8Array.of(0), item));
  let used = 0;
  for (let node = index, last = count - 1; last > 0; node >>>= 1, last >>>= 1) {
    if ((node ^ 1) > last) {
      continue; // without a partner: carried up as it is
    }
    if (used === path.length) {
      return false;
    }
    const pair = node % 2 === 1 ? [path[used], hash] : [hash, path[used]];
    hash = sha256(concat(Uint8Array.of(1), ...pair));
    used += 1;
  }
  return used === path.length && equal(sha256(concat(Uint8Array.of(2), u32(count), hash)), root);
}

// EIP-55 text of a 20-byte address.
export function addressText(address) {
  const digits = hex(address).slice(2);
  const hash = hex(keccak_256(text.encode(digits))).slice(2);
  return "0x" + Array.from(digits, (c, i) => (parseInt(hash[i], 16) >= 8 ? c.toUpperCase() : c)).join("");
}
