export { Client, RpcError, checkReceipt, readReceipt, receiptInGroup } from "./client.js";
export { Account, SCOPES, actions, addressOfKey, devnetAccount, packBody, sign } from "./transaction.js";
export { addressText, hex, merkleHolds, merkleRoot, taggedHash, unhex } from "./bytes.js";
export { blockResultKey, checkFinal, provedRange, provedRows, readHeader, readValset, validatorsOf, valsetHash } from "./proof.js";
export { Light } from "./light.js";
export { readValidator, validatorsPage } from "./stake.js";
