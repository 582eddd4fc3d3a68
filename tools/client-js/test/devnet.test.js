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

import { Client, RpcError, actions, blockResultKey, checkFinal, checkReceipt, devnetAccount, hex, provedRows,
  unhex } from "../src/index.js";

const novate = fileURLToPath(new URL("../../../build/bin/novate", import.meta.url));

function free(port) {
  return new Promise((resolve) => {
    const server = createServer();
    server.once("error", () => resolve(false));
    server.listen(port, "127.0.0.1", () => server.close(() => resolve(true)));
  });
}

async function freeBase() {
  for (let base = 41000; base < 60000; base += 50) {
    const ports = Array.from({ length: 40 }, (_, i) => base + i);
    if ((await Promise.all(ports.map(free))).every(Boolean)) {
      return base;
    }
  }
  throw new Error("no free ports");
}

test("from a signature to a proved receipt", { timeout: 170000 }, async (t) => {
  const folder = mkdtempSync(join(tmpdir(), "novate-js-"));
  const dir = join(folder, "d");
  const base = await freeBase();
  const run = (...words) => execFileSync(novate, words, { encoding: "utf8", timeout: 120000 });
  t.after(() => {
    run("devnet", "down", "--dir", dir);
    rmSync(folder, { recursive: true });
  });
  run("devnet", "up", "--dir", dir, "--base-port", String(base), "--detach", "--no-bots");

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
  const key = blockResultKey(result.height);
  const { rows } = await client.provedRows([key]);
  const block = await client.writtenBlock(result.height, 100);
  const receipts = block.transactions.map((tx) => unhex(tx.receipt));
  receipts[result.index][40] ^= 1;
  assert.throws(() => checkReceipt(rows.get(hex(key)), result.height, receipts, result.index, result.tx_hash));

  const { proof } = await client.call("chain_proof", { keys: [hex(key)] });
  const header = unhex(proof.header);
  const certificate = unhex(proof.certificate);
  checkFinal(header, certificate, client.chainId, client.validators);
  for (const bytes of [header, certificate]) {
    for (let i = 0; i < bytes.length; i += 7) {
      bytes[i] ^= 4;
      assert.throws(() => checkFinal(header, certificate, client.chainId, client.validators), `byte ${i}`);
      bytes[i] ^= 4;
    }
  }
  assert.throws(() => provedRows(client.chainId, unhex(proof.proof)));

  // Errors are for people.
  await assert.rejects(client.call("tx_submit", { transaction: "0x00" }), RpcError);
  await assert.rejects(
    client.submit(alice, [actions.transfer(bob.address, 1n)], { expiresMs: Date.now() - 1000 }), /expired/);
});
