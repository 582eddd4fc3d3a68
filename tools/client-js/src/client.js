// client.js - JSON-RPC over HTTP, and a transaction from making to proof.

import { randomBytes } from "@noble/hashes/utils"; // Node 18 has no global crypto

import { equal, hex, merkleRoot, sha256, unhex, Reader } from "./bytes.js";
import { blockResultKey, checkFinal, provedRows, validatorsOf } from "./proof.js";
import { sign } from "./transaction.js";

const HEIGHT_IN_FUTURE = 1007; // rpc/errors.def

export class RpcError extends Error {
  constructor(method, error) {
    super(`${method}: ${error.message} (${error.code})${error.data?.reason ? `: ${error.data.reason}` : ""}`);
    this.code = error.code;
    this.data = error.data;
  }
}

export class Client {
  // `genesis` is the text of the genesis file: its hash is the chain, its validators are whom to believe.
  constructor(url, genesis) {
    this.url = url;
    this.id = 0;
    const bytes = typeof genesis === "string" ? new TextEncoder().encode(genesis) : genesis;
    this.chainId = sha256(bytes);
    this.validators = validatorsOf(JSON.parse(new TextDecoder().decode(bytes)));
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

  // Signs and submits; resolves when the transaction is final.
  async submit(account, actions, { expiresMs = Date.now() + 30000, salt } = {}) {
    const random = salt ?? BigInt(hex(randomBytes(8)));
    const tx = sign(account, this.chainId, { expiresMs: BigInt(expiresMs), salt: random, actions });
    const result = await this.call("tx_submit", { transaction: hex(tx.bytes), wait: "finalised" });
    if (result.tx_hash !== hex(tx.hash)) {
      throw new Error("the node names another hash than ours");
    }
    return result;
  }

  // Rows by key, proved against a header that the validators of genesis finalized.
  async provedRows(keys) {
    const { proof } = await this.call("chain_proof", { keys: keys.map(hex) });
    const header = checkFinal(unhex(proof.header), unhex(proof.certificate), this.chainId, this.validators);
    return { rows: provedRows(header.stateRoot, unhex(proof.proof)), height: header.executedHeight };
  }

  // The receipt of a final transaction, proved: all receipts of its block give the root that the
  // block's result row holds, the row is in the state, the state in a final header.
  async provedReceipt(txHash, { attempts = 100 } = {}) {
    const { height, index } = await this.call("tx_get", { tx_hash: txHash });
    const key = blockResultKey(height);
    let state = await this.provedRows([key]);
    for (let i = 1; state.height < BigInt(height); i++) {
      if (i > attempts) {
        throw new Error(`no final header names the state after block ${height} yet`);
      }
      await this.call("chain_waitHeight", { height: String(BigInt(height) + BigInt(i)) });
      state = await this.provedRows([key]);
    }
    const block = await this.writtenBlock(height, attempts);
    const receipts = block.transactions.map((tx) => unhex(tx.receipt));
    return checkReceipt(state.rows.get(hex(key)), height, receipts, index, txHash);
  }

  // A block with its transactions, once the node has written it down.
  async writtenBlock(height, attempts) {
    for (let i = 1; ; i++) {
      try {
        return await this.call("chain_block", { height, transactions: true });
      } catch (error) {
        if (error.code !== HEIGHT_IN_FUTURE || i > attempts) {
          throw error;
        }
        await this.call("chain_waitHeight", { height: String(BigInt(height) + BigInt(i)) });
      }
    }
  }
}

// Checks one receipt among all of its block against the block's result row.
export function checkReceipt(row, height, receipts, index, txHash) {
  if (row === undefined) {
    throw new Error("the block's result row is not in the state");
  }
  const r = new Reader(row);
  if (r.u64() !== BigInt(height)) {
    throw new Error("the result row is of another block");
  }
  r.take(8 + 4 + 4);
  if (!equal(merkleRoot(receipts), r.take(32))) {
    throw new Error("the receipts are not those of the block");
  }
  const receipt = readReceipt(receipts[index]);
  if (receipt.txHash !== txHash) {
    throw new Error("the receipt is of another transaction");
  }
  return receipt;
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
