// From epoch to epoch, and who lies about the way (docs/spec/light.md).
//
// Method: a chain of boundaries made here, each epoch with validators of its own whose keys are known, by the bytes of
// docs/spec/consensus.md; each rule is broken by itself.

import assert from "node:assert/strict";
import test from "node:test";

import { schnorr } from "@noble/curves/secp256k1";

import { concat, u16, u32, u64 } from "../src/bytes.js";
import { Light, hex, taggedHash, valsetHash } from "../src/index.js";

const TIME_MS = 1000000;
const TRUSTING_MS = 5000;
const NONE = new Uint8Array(32);

function members(epoch, count) {
  const list = Array.from({ length: count }, (_, i) => {
    const secret = taggedHash("novate/seckey/v1", u16(epoch), u16(i));
    return { secret, key: schnorr.getPublicKey(secret), stake: BigInt(100 - i) };
  });
  return list;
}

const sets = [4, 5, 3, 4, 6].map((count, i) => members(i + 1, count)); // of epoch 1 and on

const genesis = (consensus, params = {}) => JSON.stringify({
  time_ms: TIME_MS, consensus, params,
  validators: sets[0].map((v) => ({ key: hex(v.key), stake: String(v.stake) })),
});
const young = genesis({ epoch_ms: 2000 }, { EVIDENCE_TIME: String(TRUSTING_MS) });
const { chainId } = new Light(young);

function valset(list) {
  return concat(u16(list.length), ...list.map((v, i) => concat(u16(i), v.key, u64(v.stake))));
}

function headerOf(fields) {
  const f = { chainId, next: NONE, ...fields };
  return concat(u16(1), f.chainId, u64(f.epoch), u64(f.height), u64(9n), u64(8n), NONE, u16(0), u64(f.timeMs), NONE, u32(0),
    u32(0), u64(0n), NONE, NONE, NONE, valsetHash(f.set), f.next, NONE);
}

// A finalization by the first `signers` of a set.
function certificateOf(header, { epoch, set, signers = set.length }) {
  const ballot = concat(u64(epoch), u64(9n), u64(8n), taggedHash("novate/header/v1", header));
  const digest = taggedHash("novate/finalize/v1", chainId, ballot);
  const bits = Uint8Array.of((1 << signers) - 1);
  const signatures = set.slice(0, signers).map((v) => schnorr.sign(digest, v.secret, NONE));
  return concat(Uint8Array.of(3), ballot, Uint8Array.of(1), bits, ...signatures);
}

// The answer of chain_epoch about an epoch, with what is to be different about it.
function end(epoch, changed = {}) {
  const fields = { epoch: BigInt(epoch), height: BigInt(epoch * 100), timeMs: BigInt(TIME_MS + epoch * 2000),
    set: sets[epoch - 1], next: valsetHash(sets[epoch]), ...changed };
  const header = headerOf(fields);
  return { header: hex(header), certificate: hex(certificateOf(header, { ...fields, epoch: BigInt(epoch) })),
    next_validators: hex(valset(sets[epoch])) };
}

const hashOf = (answer) => hex(taggedHash("novate/header/v1", Buffer.from(answer.header.slice(2), "hex")));

test("one goes from epoch to epoch", () => {
  const light = new Light(young);
  for (let epoch = 1; epoch < sets.length; epoch++) {
    light.advance(end(epoch), TIME_MS);
    assert.equal(light.epoch, BigInt(epoch + 1));
    assert.equal(hex(valsetHash(light.validators)), hex(valsetHash(sets[epoch])));
  }
  assert.throws(() => light.advance(end(1), TIME_MS), /is of epoch 1, and 5 is believed/);
});

test("no lie leads on, and none changes what is believed", () => {
  const good = end(2);
  const lies = [
    [{ ...good, next_validators: end(1).next_validators }, /not those that the boundary names/],
    [{ ...good, next_validators: "0x" }, /end before/],
    [{ ...good, certificate: end(1).certificate }, /does not finalize/],
    [{ ...good, header: end(3).header }, /is of epoch 3/],
    [end(3), /is of epoch 3/],
    [end(1), /is of epoch 1/],
    [end(2, { next: NONE }), /does not close its epoch/],
    [end(2, { set: sets[2] }), /other validators/],
    [end(2, { signers: 3 }), /no quorum/],
    [end(2, { height: 100n }), /not after the boundary/],
    [end(2, { timeMs: BigInt(TIME_MS + 1999) }), /not after the boundary/],
    [end(2, { chainId: NONE }), /another chain/],
  ];
  const light = new Light(young);
  light.advance(end(1), TIME_MS);
  const before = { ...light };
  for (const [lie, said] of lies) {
    assert.throws(() => light.advance(lie, TIME_MS), said);
    assert.deepEqual({ ...light }, before);
  }
  for (const name of ["header", "certificate", "next_validators"]) {
    const size = (good[name].length - 2) / 2;
    for (let i = 0; i < size; i += 11) {
      const bytes = Buffer.from(good[name].slice(2), "hex");
      bytes[i] ^= 1;
      assert.throws(() => light.advance({ ...good, [name]: hex(bytes) }, TIME_MS), `byte ${i} of ${name}`);
    }
  }
  light.advance(good, TIME_MS);
  assert.equal(light.epoch, 3n);
});

test("an epoch is believed for the trusting period", () => {
  const light = new Light(young);
  assert.throws(() => light.advance(end(1), TIME_MS + TRUSTING_MS + 1), /too old to be believed/);
  light.advance(end(1), TIME_MS + TRUSTING_MS);
  assert.throws(() => light.advance(end(2), TIME_MS + 2000 + TRUSTING_MS + 1), /too old to be believed/);
  light.advance(end(2), TIME_MS + 2000 + TRUSTING_MS);
  assert.equal(new Light(genesis({ epoch_ms: 2000 })).trustingMs, 172800000n);
  assert.equal(new Light(genesis({ epoch_ms: 0 })).trustingMs, 0n);
  assert.throws(() => new Light(genesis({ epoch_ms: 2000 }, { EVIDENCE_TIME: "0" })), /leaves no time/);
});

test("one begins with a later epoch that was named", () => {
  const light = new Light(young);
  const answer = end(3);
  const named = `4:${hashOf(answer)}`;
  const before = { ...light };
  for (const [trust, given, said] of [
    [named, end(2), /is not the one/],
    [named.replace("4:", "3:"), answer, /is not the one/],
    [`${named}:1`, answer, /is not the one/],
    [`+${named}`, answer, /is not the one/],
    [named, { ...answer, next_validators: end(2).next_validators }, /not those that the boundary names/],
  ]) {
    assert.throws(() => light.begin(trust, given), said);
    assert.deepEqual({ ...light }, before);
  }
  const foreign = end(3, { chainId: NONE });
  assert.throws(() => light.begin(`4:${hashOf(foreign)}`, foreign), /another chain/);
  light.begin(named, answer);
  light.advance(end(4), TIME_MS + 3 * 2000 + TRUSTING_MS);
  assert.equal(light.epoch, 5n);
});
