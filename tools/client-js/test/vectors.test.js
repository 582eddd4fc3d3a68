// The client against the vectors that the C code and two generators agree on (tests/golden/).

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import test from "node:test";

import { schnorr } from "@noble/curves/secp256k1";
import { sha256 } from "@noble/hashes/sha2";

import { Account, SCOPES, actions, addressOfKey, addressText, hex, merkleHolds, merkleRoot, packBody, provedRange, provedRows,
  readHeader, readReceipt, readValset, receiptInGroup, sign, taggedHash, unhex, validatorsOf, valsetHash } from "../src/index.js";

const golden = (name) => JSON.parse(readFileSync(new URL(`../../../tests/golden/${name}.json`, import.meta.url)));
const bytes = golden("bytes");
const vm = golden("vm");
const state = golden("state");
const consensus = golden("consensus");

test("tagged hashes, Merkle roots, addresses", () => {
  for (const v of bytes.tagged_hash) {
    assert.equal(hex(taggedHash(v.tag, unhex(v.message))), v.hash);
  }
  for (const v of bytes.merkle) {
    assert.equal(hex(merkleRoot(v.leaves.map(unhex))), v.root);
  }
  for (const v of bytes.merkle) {
    const leaves = v.leaves.map(unhex);
    v.paths.forEach(({ index: i, path }) => {
      const hashes = path.map(unhex);
      assert.ok(merkleHolds(unhex(v.root), leaves[i], hashes, i, leaves.length));
      assert.ok(!merkleHolds(unhex(v.root), leaves[i], hashes, i, leaves.length + 1));
      assert.ok(!merkleHolds(unhex(v.root), leaves[i], hashes.slice(1), i, leaves.length) || path.length === 0);
      assert.ok(!merkleHolds(unhex(v.root), leaves[i], [...hashes, unhex(v.root)], i, leaves.length));
    });
  }
  for (const v of bytes.keys) {
    assert.equal(hex(addressOfKey(unhex(v.public_key))), v.address);
  }
  for (const v of bytes.address_text) {
    assert.equal(addressText(unhex(v.address)), v.text);
  }
});

test("transactions are packed and signed to the same bytes", () => {
  const named = Object.fromEntries(vm.transactions.map((t) => [t.name, t]));
  const chainId = unhex(vm.chain_id);
  const made = {
    place: { expiresMs: 1760000012345n, action: actions.place({ market: 3, side: "buy", price: 600000n, lots: 25n }) },
    place_full: {
      expiresMs: 1760000012345n,
      action: actions.place({ market: 65535, side: "sell", price: -(2n ** 53n - 1n), lots: 2n ** 31n - 1n,
        timeInForce: "gtt", postOnly: true, reduceOnly: true, expiresMs: 1760000000000n, clientId: 2n ** 64n - 1n }),
    },
  };
  const to = Uint8Array.from({ length: 20 }, (_, i) => i);
  const key = Uint8Array.from({ length: 32 }, (_, i) => i);
  const identity = (name) => new Account(taggedHash("novate/seckey/v1", sha256(new TextEncoder().encode(name))));
  const stake = {
    delegate: actions.delegate(to, 1000000n),
    undelegate: actions.undelegate(to, 2n ** 61n),
    withdraw_stake: actions.withdrawStake(to),
    claim: actions.claim(),
    set_commission: actions.setCommission(50000000),
    set_commission_none: actions.setCommission(0),
    unjail: actions.unjail(),
    session_stake: actions.sessionSet(key, Object.values(SCOPES).reduce((sum, s) => sum + s), 1760000000000n),
    bond: actions.bond({ account: unhex(named.bond.account), chainId, validator: identity("validator"),
      node: identity("node"), micro: 10n ** 9n, commissionPpb: 10 ** 9 }),
  };
  for (const [name, action] of Object.entries(stake)) {
    made[name] = { expiresMs: 1760000012345n, action };
  }
  for (const [name, { expiresMs, action }] of Object.entries(made)) {
    const vector = named[name];
    const account = new Account(unhex(vector.secret));
    const tx = sign(account, chainId, { expiresMs, salt: 0n, actions: [action] });
    assert.equal(hex(account.address), vector.account);
    assert.equal(hex(tx.bytes), vector.bytes);
    assert.equal(hex(tx.hash), vector.hash);
  }
});

test("every transaction of the vectors verifies", () => {
  for (const vector of vm.transactions) {
    const whole = unhex(vector.bytes);
    const signature = whole.slice(-64);
    const key = whole.slice(-64 - 2 - 32, -64 - 2);
    assert.ok(schnorr.verify(signature, unhex(vector.hash), key), vector.name);
  }
});

test("headers and sets of validators have the hashes of the vectors", () => {
  for (const v of consensus.headers) {
    const header = readHeader(unhex(v.bytes));
    assert.equal(hex(header.hash), v.hash);
    assert.equal(String(header.height), String(v.fields.height));
    assert.equal(hex(header.stateRoot), v.fields.state_root);
    assert.equal(hex(header.valsetHash), v.fields.valset_hash);
    assert.throws(() => readHeader(unhex(v.bytes).slice(0, -1)));
  }
  for (const v of consensus.valsets) {
    const list = v.keys.map((key, i) => ({ key, stake: String(v.stakes[i]) }));
    assert.equal(hex(valsetHash(validatorsOf({ validators: list }))), v.hash);
    assert.equal(hex(valsetHash(readValset(unhex(v.bytes)))), v.hash);
    assert.throws(() => readValset(unhex(v.bytes).slice(0, -1)));
    assert.throws(() => readValset(Uint8Array.of(...unhex(v.bytes), 0)));
  }
});

test("numbers out of range are refused", () => {
  assert.throws(() => packBody({ account: new Uint8Array(20), expiresMs: -1n, salt: 0n, actions: [] }), RangeError);
  assert.throws(() => actions.place({ market: 0, side: "up", price: 1n, lots: 1n }), /side is one of/);
});

test("receipts", () => {
  for (const vector of vm.receipts) {
    const receipt = readReceipt(unhex(vector.bytes));
    assert.equal(receipt.txHash, vector.fields.hash);
    assert.equal(String(receipt.account), vector.fields.account);
    assert.equal(String(receipt.code), vector.fields.code);
    assert.equal(String(receipt.feeMicro), vector.fields.fee);
    assert.equal(receipt.outcomes.length, vector.outcomes.length);
    assert.throws(() => readReceipt(unhex(vector.bytes).slice(0, -1)));
  }
});

test("proofs hold, and no flipped bit does", () => {
  let proofs = 0;
  for (const { root, proofs: list } of state.states) {
    for (const { bytes: text } of list) {
      const proof = unhex(text);
      provedRows(unhex(root), proof);
      proofs += 1;
      for (let i = 0; i < Math.min(proof.length, 200); i++) {
        const bad = Uint8Array.from(proof);
        bad[i] ^= 1 << i % 8;
        assert.throws(() => provedRows(unhex(root), bad), `byte ${i}`);
      }
    }
  }
  assert.ok(proofs > 5);
  for (const { name, bytes: text } of state.refused) {
    assert.throws(() => provedRows(unhex(state.states[0].root), unhex(text)), name);
  }
});

test("a range is proved whole or not at all", () => {
  let whole = 0;
  let refused = 0;
  for (const { root, rows, proofs } of state.states) {
    const ranges = proofs.flatMap((p) => p.ranges);
    const keys = rows.map(({ key }) => key).sort();
    ranges.push(...keys.map((key, i) => [keys[Math.max(0, i - 1)], key]));
    for (const { bytes: text, ranges: own } of proofs) {
      for (const [first, last] of ranges) {
        const inside = keys.filter((key) => first <= key && key <= last);
        let shown;
        try {
          shown = provedRange(unhex(root), unhex(text), unhex(first), unhex(last));
        } catch (error) {
          assert.match(error.message, /leaves rows out/);
          assert.ok(!own.some(([from, to]) => from <= first && last <= to));
          refused += 1;
          continue;
        }
        assert.deepEqual(inside.filter((key) => shown.has(key)), inside);
        whole += 1;
      }
    }
  }
  assert.ok(whole > 20 && refused > 20, `${whole} whole, ${refused} refused`);
});

test("receipts stand in groups, and the groups in a tree", () => {
  for (const v of vm.receipt_groups) {
    assert.equal(hex(merkleRoot(v.groups.map((g) => unhex(g.bytes)))), v.root);
    for (const { index, receipt, path } of v.paths) {
      const leaf = Math.floor(index / 16);
      const group = unhex(v.groups[leaf].bytes);
      assert.ok(merkleHolds(unhex(v.root), group, path.map(unhex), leaf, v.groups.length));
      assert.equal(hex(receiptInGroup(group, index, v.count)), receipt);
      assert.throws(() => receiptInGroup(group.slice(0, -1), index, v.count));
      assert.throws(() => receiptInGroup(Uint8Array.of(...group, 0), index, v.count));
    }
  }
});
