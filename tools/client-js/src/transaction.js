// transaction.js - packs and signs transactions (docs/spec/transactions.md, vm/wire/tx.proto).
//
// The packing is canonical: fields in ascending order, defaults absent, shortest varints. Amounts
// are BigInt micro units, sizes BigInt lots, prices BigInt ticks.

import { schnorr } from "@noble/curves/secp256k1";

import { concat, taggedHash } from "./bytes.js";

export function varint(value) {
  let rest = BigInt(value);
  if (rest < 0n || rest >= 1n << 64n) {
    throw new RangeError(`${value} is not an unsigned 64-bit number`);
  }
  const out = [];
  while (rest >= 128n) {
    out.push(Number(rest & 127n) | 128);
    rest >>= 7n;
  }
  out.push(Number(rest));
  return Uint8Array.from(out);
}

function number(field, value) {
  return BigInt(value) === 0n ? new Uint8Array() : concat(varint(field << 3), varint(value));
}

function signed(field, value) {
  const v = BigInt(value);
  return number(field, v >= 0n ? v << 1n : (-v << 1n) - 1n);
}

function flag(field, value) {
  return number(field, value ? 1 : 0);
}

function bytes(field, value) {
  return value.length === 0 ? new Uint8Array() : message(field, value);
}

function message(field, value) {
  return concat(varint((field << 3) | 2), varint(value.length), value);
}

const SIDES = { buy: 1, sell: 2 };
const TIMES = { gtc: 1, gtt: 2, ioc: 3 };
export const SCOPES = { trade: 1, transfer: 2, withdraw: 4, report: 8, stake: 16 };

function named(table, name, what) {
  if (!(name in table)) {
    throw new Error(`${what} is one of ${Object.keys(table).join(", ")}, not "${name}"`);
  }
  return table[name];
}

// Each maker gives the bytes of one Action.
export const actions = {
  place: (o) =>
    message(1, concat(number(1, o.market), number(2, named(SIDES, o.side, "side")), signed(3, o.price),
      number(4, o.lots), number(5, named(TIMES, o.timeInForce ?? "gtc", "timeInForce")),
      flag(6, o.postOnly), flag(7, o.reduceOnly), number(8, o.expiresMs ?? 0), number(9, o.clientId ?? 0))),
  cancel: (order) => message(2, number(1, order)),
  cancelClient: (market, clientId) => message(3, concat(number(1, market), number(2, clientId))),
  cancelAll: (market) =>
    message(4, market === undefined ? flag(2, true) : number(1, market)),
  deposit: (micro) => message(5, number(1, micro)),
  withdraw: (micro) => message(6, number(1, micro)),
  transfer: (to, micro) => message(7, concat(bytes(1, to), number(2, micro))),
  faucet: (to, micro) => message(8, concat(bytes(1, to), number(2, micro))),
  sessionSet: (key, scopes, expiresMs) =>
    message(9, concat(bytes(1, key), number(2, scopes), number(3, expiresMs))),
  sessionRevoke: (key) => message(10, bytes(1, key)),
  // `account` (its address) becomes a validator of the chain: `validator` is the key that signs its votes, `node` that
  // of its node, each an Account for its secret.
  bond: ({ account, chainId, validator, node, micro, commissionPpb = 0 }) =>
    message(13, concat(bytes(1, validator.key), bytes(2, node.key), number(3, commissionPpb), number(4, micro),
      bytes(5, possession("novate/bond/v1", validator, chainId, account)),
      bytes(6, possession("novate/bond-node/v1", node, chainId, account)))),
  // A validator is named by the address of its operator.
  delegate: (validator, micro) => message(14, concat(bytes(1, validator), number(2, micro))),
  undelegate: (validator, micro) => message(15, concat(bytes(1, validator), number(2, micro))),
  withdrawStake: (validator) => message(16, bytes(1, validator)),
  claim: () => message(17, new Uint8Array()),
  setCommission: (ppb) => message(18, number(1, ppb)),
  unjail: () => message(19, new Uint8Array()),
};

// The proof that a key wants to serve an operator (docs/spec/stake.md 2.2).
function possession(tag, key, chainId, account) {
  return schnorr.sign(taggedHash(tag, chainId, account), key.secret, new Uint8Array(32)); // deterministic
}

// A key and its account.
export class Account {
  constructor(secret, address) {
    this.secret = secret;
    this.key = schnorr.getPublicKey(secret);
    this.address = address ?? addressOfKey(this.key);
  }
}

export function addressOfKey(key) {
  return taggedHash("novate/address/v1", key).slice(12);
}

// The development key of that name: the same on every machine, worth nothing anywhere else.
export function devnetAccount(name) {
  const seed = taggedHash("novate/devnet-key/v1", new TextEncoder().encode(name));
  return new Account(taggedHash("novate/seckey/v1", seed));
}

export function packBody({ account, expiresMs, salt, actions: list }) {
  return concat(bytes(1, account), number(2, expiresMs), number(3, salt), ...list.map((a) => message(4, a)));
}

// Packs and signs; returns { bytes, hash }.
export function sign(account, chainId, { expiresMs, salt, actions: list }) {
  const body = packBody({ account: account.address, expiresMs, salt, actions: list });
  const hash = taggedHash("novate/tx/v1", chainId, account.key, body);
  const signature = schnorr.sign(hash, account.secret, new Uint8Array(32)); // deterministic
  return { bytes: concat(message(1, body), message(2, account.key), message(3, signature)), hash };
}
