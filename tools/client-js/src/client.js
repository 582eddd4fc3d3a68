// client.js - JSON-RPC over HTTP, and a transaction from making to proof.

import { randomBytes } from "@noble/hashes/utils"; // Node 18 has no global crypto

import { hex, merkleHolds, unhex, Reader } from "./bytes.js";
import { Light } from "./light.js";
import { blockResultKey, provedRows, readHeader } from "./proof.js";
import { validatorsPage } from "./stake.js";
import { sign } from "./transaction.js";

const TOO_EARLY = [1007, 1008]; // height_in_future, busy: rpc/errors.def
const PAUSE_MS = 50;
const RECEIPT_GROUP = 16;

export class RpcError extends Error {
  constructor(method, error) {
    super(`${method}: ${error.message} (${error.code})${error.data?.reason ? `: ${error.data.reason}` : ""}`);
    this.code = error.code;
    this.data = error.data;
  }
}

export class Client {
  // `genesis` is the text of the genesis file: its hash is the chain, its validators are whom to believe at first. For
  // a chain that is too old for that, `trust` names an epoch: "EPOCH:HASH", with the hash of the block that closed the
  // one before, from nodes that one trusts.
  constructor(url, genesis, { trust } = {}) {
    this.url = url;
    this.id = 0;
    this.light = new Light(genesis);
    this.trust = trust;
  }

  get chainId() {
    return this.light.chainId;
  }

  async call(method, params = {}) {
    this.id += 1;
    const response = await fetch(this.url, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ jsonrpc: "2.0", id: this.id, method, params }),
    });
    const answer = await response.json();
    if (answer.error) {
      throw new RpcError(method, answer.error);
    }
    return answer.result;
  }

  // Signs and submits; resolves when the transaction is final, for which the node waits at most `timeoutMs`.
  async submit(account, actions, { expiresMs = Date.now() + 30000, timeoutMs = 25000, salt } = {}) {
    const random = salt ?? BigInt(hex(randomBytes(8)));
    const tx = sign(account, this.chainId, { expiresMs: BigInt(expiresMs), salt: random, actions });
    const params = { transaction: hex(tx.bytes), wait: "finalised", timeout_ms: timeoutMs };
    const result = await this.call("tx_submit", params);
    if (result.tx_hash !== hex(tx.hash)) {
      throw new Error("the node names another hash than ours");
    }
    return result;
  }

  // Goes on to an epoch, as the node shows the way; it can only show the right one.
  async reach(epoch) {
    if (this.trust !== undefined) {
      const before = BigInt(this.trust.split(":")[0]) - 1n;
      this.light.begin(this.trust, await this.call("chain_epoch", { epoch: String(before) }));
      this.trust = undefined;
    }
    while (this.light.epoch < epoch) {
      this.light.advance(await this.call("chain_epoch", { epoch: String(this.light.epoch) }));
    }
  }

  // The header of a proof, if it is final.
  async final(proof) {
    const header = unhex(proof.header);
    await this.reach(readHeader(header).epoch);
    return this.light.check(header, unhex(proof.certificate));
  }

  // Rows by key, proved against a header that the validators of its epoch finalized.
  async provedRows(keys) {
    const { proof } = await this.call("chain_proof", { keys: keys.map(hex) });
    const header = await this.final(proof);
    return { rows: provedRows(header.stateRoot, unhex(proof.proof)), height: header.executedHeight };
  }

  // The receipt of a transaction, proved: the path of its group leads to the root in the block's result, which is a row
  // of the state, whose root stands in a final header. Waits until such a header is there.
  async provedReceipt(txHash, { attempts = 100 } = {}) {
    const answer = await this.patiently("tx_get", { tx_hash: txHash, proof: true }, attempts);
    const { stateRoot } = await this.final(answer.proof);
    const rows = provedRows(stateRoot, unhex(answer.proof.proof));
    return checkReceipt(rows.get(hex(blockResultKey(answer.height))), answer, txHash);
  }

  // All validators, in order of their accounts, page by page: each page is proved to leave nobody out. Pages are of
  // different heights: whoever validates at all of them is there once.
  async provedValidators({ limit = 256, attempts = 100 } = {}) {
    const all = [];
    for (let first = 0n; ;) {
      const answer = await this.patiently("stake_validators", { limit, cursor: String(first), proof: true }, attempts);
      const { stateRoot } = await this.final(answer.proof);
      const next = answer.cursor === null ? null : BigInt(answer.cursor);
      const page = validatorsPage(stateRoot, unhex(answer.proof.proof), first, next);
      all.push(...page);
      if (next === null) {
        return all;
      }
      if (page.length === 0 || next <= first) {
        throw new Error("the node's list does not end");
      }
      first = next;
    }
  }

  // Calls until what is asked for is final, written down and named by a final header.
  async patiently(method, params, attempts) {
    for (let i = 1; ; i++) {
      try {
        return await this.call(method, params);
      } catch (error) {
        if (!TOO_EARLY.includes(error.code) || i >= attempts) {
          throw error;
        }
        await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
      }
    }
  }
}

// Checks the receipt of an answer of tx_get against the row of its block's result.
export function checkReceipt(row, answer, txHash) {
  if (row === undefined) {
    throw new Error("the proof does not show the block's result");
  }
  const r = new Reader(row);
  if (r.u64() !== BigInt(answer.height)) {
    throw new Error("the result row is of another block");
  }
  r.u64(); // time
  const count = r.u32();
  r.u32(); // events
  const bytes = unhex(answer.receipt.bytes);
  const { path, index } = answer.receipt_proof;
  const group = unhex(answer.receipt_proof.group);
  const leaf = Math.floor(index / RECEIPT_GROUP);
  if (answer.receipt_proof.count !== count ||
      !merkleHolds(r.take(32), group, path.map(unhex), leaf, Math.ceil(count / RECEIPT_GROUP)) ||
      hex(receiptInGroup(group, index, count)) !== hex(bytes)) {
    throw new Error("the receipt is not one of the block's");
  }
  const receipt = readReceipt(bytes);
  if (receipt.txHash !== txHash) {
    throw new Error("the receipt is of another transaction");
  }
  return receipt;
}

// The bytes of receipt `index` of a block's `count`, from its leaf of the Merkle tree, a group of receipts.
export function receiptInGroup(group, index, count) {
  const r = new Reader(group);
  const first = index - (index % RECEIPT_GROUP);
  let found;
  for (let i = first; i < Math.min(first + RECEIPT_GROUP, count); i++) {
    const receipt = r.take(r.u16());
    found = i === index ? receipt : found;
  }
  r.end();
  return found;
}

export function readReceipt(bytes) {
  const r = new Reader(bytes);
  const receipt = { txHash: hex(r.take(32)), account: r.u64(), code: r.u16(), feeMicro: r.i64(), outcomes: [] };
  const count = r.u8();
  for (let i = 0; i < count; i++) {
    receipt.outcomes.push({ code: r.u16(), result: r.u64() });
  }
  r.end();
  return receipt;
}
