// A transaction signed here is executed by four validators, and what became of it is proved here.
//
// Method: a devnet on free ports in a temporary folder, without bots; everything believed comes from
// the genesis file alone.

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import test from "node:test";
import { fileURLToPath } from "node:url";

import { Account, Client, RpcError, SCOPES, actions, addressText, blockResultKey, checkFinal, checkReceipt, devnetAccount, hex,
  provedRows, unhex, validatorsPage } from "../src/index.js";

const novate = fileURLToPath(new URL("../../../build/bin/novate", import.meta.url));

function free(port) {
  return new Promise((resolve) => {
    const server = createServer();
    server.once("error", () => resolve(false));
    server.listen(port, "127.0.0.1", () => server.close(() => resolve(true)));
  });
}

async function freeBase() {
  for (let base = 21000 + (process.pid % 100) * 50; base < 32000; base += 50) {
    const ports = Array.from({ length: 40 }, (_, i) => base + i);
    if ((await Promise.all(ports.map(free))).every(Boolean)) {
      return base;
    }
  }
  throw new Error("no free ports");
}

test("from a signature to a proved receipt", { timeout: 600000 }, async (t) => {
  const folder = mkdtempSync(join(tmpdir(), "novate-js-"));
  const dir = join(folder, "d");
  const base = await freeBase();
  const run = (...words) => execFileSync(novate, words, { encoding: "utf8", timeout: 300000 });
  t.after(() => {
    run("devnet", "down", "--dir", dir);
    rmSync(folder, { recursive: true });
  });
  run("devnet", "up", "--dir", dir, "--base-port", String(base), "--detach", "--no-bots", "--epoch", "2");

  const client = new Client(`http://127.0.0.1:${base + 1}`, readFileSync(join(dir, "genesis.json")));
  const alice = devnetAccount("alice");
  const bob = devnetAccount("bob");

  const result = await client.submit(alice, [
    actions.transfer(bob.address, 1_500_000n),
    actions.cancel(12345n), // no such order: fails by itself
  ]);
  assert.equal(result.state, "final");
  const receipt = await client.provedReceipt(result.tx_hash);
  assert.equal(receipt.code, 0);
  assert.equal(receipt.outcomes.length, 2);
  assert.equal(receipt.outcomes[0].code, 0);
  assert.equal(receipt.outcomes[1].code, 4001);

  // What was proved does not hold for anything else.
  const answer = await client.patiently("tx_get", { tx_hash: result.tx_hash, proof: true }, 100);
  const { proof } = answer;
  const state = checkFinal(unhex(proof.header), unhex(proof.certificate), client.chainId, client.light.validators);
  const row = provedRows(state.stateRoot, unhex(proof.proof)).get(hex(blockResultKey(result.height)));
  checkReceipt(row, answer, result.tx_hash);
  const size = unhex(answer.receipt.bytes).length;
  for (let i = 0; i < size; i++) {
    const bytes = unhex(answer.receipt.bytes);
    bytes[i] ^= 1;
    const lie = { ...answer, receipt: { ...answer.receipt, bytes: hex(bytes) } };
    assert.throws(() => checkReceipt(row, lie, result.tx_hash), `byte ${i}`);
  }
  const group = unhex(answer.receipt_proof.group);
  for (let i = 0; i < group.length; i++) {
    const bytes = group.slice();
    bytes[i] ^= 1;
    const lie = { ...answer, receipt_proof: { ...answer.receipt_proof, group: hex(bytes) } };
    assert.throws(() => checkReceipt(row, lie, result.tx_hash), `byte ${i} of the group`);
  }
  assert.throws(() => checkReceipt(row, answer, hex(client.chainId)), /another transaction/);
  assert.throws(() => checkReceipt(row, { ...answer, height: "1" }, result.tx_hash), /another block/);
  const longer = { ...answer.receipt_proof, path: [...answer.receipt_proof.path, hex(client.chainId)] };
  assert.throws(() => checkReceipt(row, { ...answer, receipt_proof: longer }, result.tx_hash));

  const header = unhex(proof.header);
  const certificate = unhex(proof.certificate);
  checkFinal(header, certificate, client.chainId, client.light.validators);
  for (const bytes of [header, certificate]) {
    for (let i = 0; i < bytes.length; i += 7) {
      bytes[i] ^= 4;
      assert.throws(() => checkFinal(header, certificate, client.chainId, client.light.validators), `byte ${i}`);
      bytes[i] ^= 4;
    }
  }
  assert.throws(() => provedRows(client.chainId, unhex(proof.proof)));

  // Epochs pass, and the node shows the way; a newcomer takes it whole, or from an epoch that it was told of.
  const key = blockResultKey(result.height);
  while (client.light.epoch < 4n) {
    const { rows } = await client.provedRows([key]);
    assert.ok(rows.has(hex(key)));
  }
  const genesis = readFileSync(join(dir, "genesis.json"));
  const newcomer = new Client(client.url, genesis);
  await newcomer.provedRows([key]);
  assert.ok(newcomer.light.epoch >= 4n);
  const { block_hash: hash } = await client.call("chain_epoch", { epoch: "2" });
  const told = new Client(client.url, genesis, { trust: `3:${hash}` });
  await told.provedRows([key]);
  assert.ok(told.light.epoch >= 4n);
  const misled = new Client(client.url, genesis, { trust: `3:${hex(client.chainId)}` });
  await assert.rejects(misled.provedRows([key]), /is not the one that/);

  // Stake: bob trusts node0, which is named by its operator.
  const node0 = devnetAccount("node0").address;
  const { tx_hash: moved } = await client.submit(bob, [actions.delegate(node0, 1_000_000n), actions.claim()]);
  const { outcomes } = await client.provedReceipt(moved);
  assert.equal(outcomes.length, 2);
  assert.notEqual(outcomes[1].code, 0); // bob is no validator

  // Bob signs for alice when she has made his key one of hers, and only what she lets him.
  const forAlice = new Account(bob.secret, alice.address);
  const refused = (code) => (error) => error instanceof RpcError && error.code === code;
  await assert.rejects(client.submit(forAlice, [actions.cancelAll()]), refused(2001));
  await client.submit(alice, [actions.sessionSet(bob.key, SCOPES.trade, BigInt(Date.now() + 60000))]);
  const { tx_hash: signed } = await client.submit(forAlice, [actions.cancelAll()]);
  assert.equal((await client.provedReceipt(signed)).code, 0);
  await assert.rejects(client.submit(forAlice, [actions.transfer(bob.address, 1n)]), refused(2003));

  // Who validates: nobody is left out, in pages of whatever length, nor can be.
  const validators = await client.provedValidators();
  const operators = [0, 1, 2, 3].map((i) => addressText(devnetAccount(`node${i}`).address));
  assert.deepEqual(validators.map((v) => v.validator).sort(), operators.sort());
  assert.ok(validators.every((v) => v.status === "active" && v.stake >= 1_000_000_000n));
  for (const limit of [1, 3, 4]) {
    assert.deepEqual((await client.provedValidators({ limit })).map((v) => v.key), validators.map((v) => v.key));
  }
  const page = await client.patiently("stake_validators", { limit: 2, proof: true }, 100);
  const { stateRoot } = await client.final(page.proof);
  const shown = (first, next) => validatorsPage(stateRoot, unhex(page.proof.proof), first, next).length;
  assert.equal(shown(0n, BigInt(page.cursor)), 2);
  assert.throws(() => shown(0n, null), /leaves rows out/);
  assert.throws(() => shown(0n, BigInt(page.cursor) + 1n), /leaves rows out/);

  // Errors are for people.
  await assert.rejects(client.call("tx_submit", { transaction: "0x00" }), RpcError);
  await assert.rejects(
    client.submit(alice, [actions.transfer(bob.address, 1n)], { expiresMs: Date.now() - 1000 }), /expired/);
});
