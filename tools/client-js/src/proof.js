// proof.js - checks proofs of rows and finality certificates (docs/spec/state.md section 3,
// docs/spec/consensus.md). Everything throws on the first thing that is not right.

import { schnorr } from "@noble/curves/secp256k1";

import { Reader, concat, equal, hex, sha256, taggedHash, u16, u32, u64, unhex } from "./bytes.js";

const EMPTY = sha256(Uint8Array.of(2));

function bit(key, depth) {
  return (key[depth >> 3] >> (7 - (depth & 7))) & 1;
}

function rowHash(key, valueHash) {
  return sha256(concat(Uint8Array.of(0), key, valueHash));
}

// The keys on one side of an inner node, as a range in hex, by a key from its other side.
function reach(near, depth, side) {
  const ends = [0, 255].map((rest) => near.map((byte, i) => {
    const below = i > depth >> 3 ? 255 : i < depth >> 3 ? 0 : 255 >> (depth & 7);
    return (byte & ~below) | (rest & below);
  }));
  ends.forEach((key) => {
    const mask = 128 >> (depth & 7);
    key[depth >> 3] = side === 1 ? key[depth >> 3] | mask : key[depth >> 3] & ~mask;
  });
  return ends.map(hex);
}

// Reads one node and what is below it: { hash, cut, keys }. Keys below an inner node must lie on
// their side of its bit and agree in all bits above it. Rows are put into out.rows, the ranges of keys of which rows
// may have been left out into out.hidden.
function readNode(r, above, out) {
  const kind = r.u8();
  switch (kind) {
    case 0: {
      const key = r.take(32);
      const size = r.u16();
      if (size > 1984) {
        throw new Error("a value is too large");
      }
      const value = r.take(size);
      out.rows.set(hex(key), value);
      return { hash: rowHash(key, sha256(value)), cut: false, keys: [key] };
    }
    case 1: {
      const depth = r.u8();
      if (depth <= above) {
        throw new Error("depths must increase");
      }
      const left = readNode(r, depth, out);
      const right = readNode(r, depth, out);
      if (left.cut && right.cut) {
        throw new Error("both sides are cut");
      }
      const keys = [...left.keys, ...right.keys];
      const sides = [...left.keys.map(() => 0), ...right.keys.map(() => 1)];
      keys.forEach((key, i) => {
        if (bit(key, depth) !== sides[i]) {
          throw new Error("a key stands on the wrong side");
        }
        for (let d = 0; d < depth; d++) {
          if (bit(key, d) !== bit(keys[0], d)) {
            throw new Error("keys differ above their node");
          }
        }
      });
      if (left.cut || right.cut) {
        out.hidden.push(reach(keys[0], depth, left.cut ? 0 : 1));
      }
      return { hash: sha256(concat(Uint8Array.of(1, depth), left.hash, right.hash)), cut: false, keys };
    }
    case 2:
      if (above !== -1) {
        throw new Error("only a whole tree is empty");
      }
      return { hash: EMPTY, cut: false, keys: [] };
    case 3:
      if (above === -1) {
        throw new Error("a whole tree is not cut");
      }
      return { hash: r.take(32), cut: true, keys: [] };
    case 4: {
      const key = r.take(32);
      out.hidden.push([hex(key), hex(key)]);
      return { hash: rowHash(key, r.take(32)), cut: false, keys: [key] };
    }
    default:
      throw new Error(`no node is of kind ${kind}`);
  }
}

function openProof(root, proof) {
  const r = new Reader(proof);
  const out = { rows: new Map(), hidden: [] };
  if (r.u8() !== 1) {
    throw new Error("the proof is of another version");
  }
  const node = readNode(r, -1, out);
  r.end();
  if (!equal(node.hash, root)) {
    throw new Error("the proof does not belong to this root");
  }
  return out;
}

// The rows that a proof shows, by hex key, after it was checked against the root.
export function provedRows(root, proof) {
  return openProof(root, proof).rows;
}

// That, if the proof shows all rows whose keys are from `first` to `last`.
export function provedRange(root, proof, first, last) {
  const { rows, hidden } = openProof(root, proof);
  if (hidden.some(([from, to]) => from <= hex(last) && hex(first) <= to)) {
    throw new Error("the proof leaves rows out");
  }
  return rows;
}

// A header's fields that a client needs; its 348 bytes are what the block's hash is of.
export function readHeader(bytes) {
  const r = new Reader(bytes);
  const header = { version: r.u16(), chainId: r.take(32), epoch: r.u64(), height: r.u64(), view: r.u64(),
    parentView: r.u64(), parentHash: r.take(32), proposer: r.u16(), timeMs: r.u64(), bodyRoot: r.take(32),
    bodySize: r.u32(), txCount: r.u32(), executedHeight: r.u64(), stateRoot: r.take(32) };
  r.take(2 * 32); // justification, evidence
  header.valsetHash = r.take(32);
  header.nextValsetHash = r.take(32);
  r.take(32); // parameters
  r.end();
  if (header.version !== 1) {
    throw new Error("the header is of another version");
  }
  return { ...header, hash: taggedHash("novate/header/v1", bytes) };
}

// Validators in the order of their indices: by stake, highest first, then by key.
export function validatorsOf(genesis) {
  return genesis.validators
    .map((v) => ({ key: unhex(v.key), stake: BigInt(v.stake) }))
    .sort((a, b) => (a.stake === b.stake ? (hex(a.key) < hex(b.key) ? -1 : 1) : a.stake > b.stake ? -1 : 1));
}

// The hash by which a header names its validators.
export function valsetHash(validators) {
  const members = validators.map((v, i) => concat(u16(i), v.key, u64(v.stake)));
  return taggedHash("novate/valset/v1", u16(validators.length), ...members);
}

// The validators of a set's canonical bytes (docs/spec/consensus.md section 2).
export function readValset(bytes) {
  const r = new Reader(bytes);
  const count = r.u16();
  const validators = [];
  if (count < 1 || count > 128) {
    throw new Error("a set has 1 to 128 validators");
  }
  for (let i = 0; i < count; i++) {
    const place = r.u16();
    validators.push({ key: r.take(32), stake: r.u64() });
    const [before, v] = validators.slice(-2);
    if (place !== i || validators[i].stake === 0n || (i > 0 && (before.stake < v.stake ||
        (before.stake === v.stake && hex(before.key) >= hex(v.key))))) {
      throw new Error("the validators are out of order");
    }
  }
  r.end();
  if (new Set(validators.map((v) => hex(v.key))).size !== count ||
      validators.reduce((sum, v) => sum + v.stake, 0n) >= 1n << 62n) {
    throw new Error("a validator stands twice in the set, or there is too much stake");
  }
  return validators;
}

const FINALIZE = 3;

// Checks that more than two thirds of the stake finalized exactly this header.
export function checkFinal(headerBytes, certificate, chainId, validators) {
  const header = readHeader(headerBytes);
  if (!equal(header.chainId, chainId)) {
    throw new Error("the header is of another chain");
  }
  if (!equal(header.valsetHash, valsetHash(validators))) {
    throw new Error("the block was made under other validators");
  }
  const r = new Reader(certificate);
  const kind = r.u8();
  const ballot = r.take(8 + 8 + 8 + 32); // epoch, view, parent view, block hash
  const signers = r.take(r.u8());
  const epoch = new Reader(ballot).u64();
  if (kind !== FINALIZE || epoch !== header.epoch || !equal(ballot.subarray(24), header.hash)) {
    throw new Error("the certificate does not finalize this header");
  }
  const digest = taggedHash("novate/finalize/v1", chainId, ballot);
  let stake = 0n;
  let total = 0n;
  validators.forEach((v, i) => {
    total += v.stake;
    if (((signers[i >> 3] >> (i & 7)) & 1) === 1) {
      if (!schnorr.verify(r.take(64), digest, v.key)) {
        throw new Error(`validator ${i} did not sign this`);
      }
      stake += v.stake;
    }
  });
  r.end();
  if (signers.length === 0 || signers[signers.length - 1] === 0) {
    throw new Error("the certificate is not in its canonical form");
  }
  for (let i = validators.length; i < signers.length * 8; i++) {
    if (((signers[i >> 3] >> (i & 7)) & 1) === 1) {
      throw new Error("a signer that does not exist");
    }
  }
  if (3n * stake <= 2n * total) {
    throw new Error("the signers are no quorum");
  }
  return header;
}

export function blockResultKey(height) {
  const key = new Uint8Array(32);
  key[0] = 0x0c;
  key.set(u32(Number(BigInt(height) % 4096n)), 1);
  return key;
}
