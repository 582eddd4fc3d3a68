// stake.js - who validates, by the rows of a proof (docs/spec/rows.md section 14).

import { Reader, addressText, concat, hex, u64 } from "./bytes.js";
import { provedRange } from "./proof.js";

const ACCOUNT = 0x01;
const VALIDATOR = 0x12;
const STATUS = { 1: "active", 2: "jailed", 3: "tombstoned" };

function keyOf(table, account) {
  return concat(Uint8Array.of(table), u64(account), new Uint8Array(23));
}

// A validator's row; amounts are micro units.
export function readValidator(bytes) {
  const r = new Reader(bytes);
  const validator = { key: hex(r.take(32)), nodeKey: hex(r.take(32)), stake: r.i64(), shares: r.i64(), due: r.i64(),
    least: r.i64(), commissionPpb: r.i64() };
  r.u64(); // the epoch in which the commission was set
  validator.status = STATUS[r.u8()];
  validator.jailedEpoch = r.u64();
  validator.slashedEpochs = Array.from({ length: r.u8() }, () => r.u64());
  r.end();
  return validator;
}

// The validators whose operators' accounts are from `first` to before `next` (null: to the last of all), by a proof
// that leaves none of them out.
export function validatorsPage(root, proof, first, next) {
  const begin = keyOf(VALIDATOR, first);
  const end = next === null ? concat(Uint8Array.of(VALIDATOR), new Uint8Array(31).fill(255)) : keyOf(VALIDATOR, next);
  const rows = provedRange(root, proof, begin, end);
  const page = [...rows].filter(([key]) => hex(begin) <= key && (next === null ? key <= hex(end) : key < hex(end)));
  return page.map(([key, value]) => {
    const account = BigInt(`0x${key.slice(4, 20)}`);
    const owner = rows.get(hex(keyOf(ACCOUNT, account)));
    if (owner === undefined) {
      throw new Error("the proof does not show a validator's account");
    }
    return { account, validator: addressText(owner.subarray(0, 20)), ...readValidator(value) };
  });
}
