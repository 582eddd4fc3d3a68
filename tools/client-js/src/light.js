// light.js - whom to believe: the validators of an epoch, and from epoch to epoch (docs/spec/light.md). Everything
// throws on the first thing that is not right, and changes nothing then.

import { equal, hex, sha256, unhex } from "./bytes.js";
import { checkFinal, readHeader, readValset, validatorsOf, valsetHash } from "./proof.js";

const EVIDENCE_TIME_MS = 172800000n; // where the genesis names none: docs/spec/parameters.md

function trustingMs(genesis) {
  if (BigInt(genesis.consensus?.epoch_ms ?? 0) === 0n) {
    return 0n; // the first epoch never ends
  }
  const ms = BigInt(genesis.params?.EVIDENCE_TIME ?? EVIDENCE_TIME_MS);
  if (ms <= 0n) {
    throw new Error("the genesis leaves no time in which its validators are believed");
  }
  return ms;
}

export class Light {
  // Begins with what a genesis file says: its hash is the chain, its validators are those of epoch 1.
  constructor(genesis) {
    const bytes = typeof genesis === "string" ? new TextEncoder().encode(genesis) : genesis;
    const said = JSON.parse(new TextDecoder().decode(bytes));
    this.chainId = sha256(bytes);
    this.trustingMs = trustingMs(said);
    this.epoch = 1n;
    this.boundary = { height: 0n, timeMs: BigInt(said.time_ms), hash: this.chainId };
    this.validators = validatorsOf(said);
  }

  // Begins with a later epoch that somebody trusted has named as "EPOCH:HASH"; `answer` is that of chain_epoch about
  // the one before.
  begin(trust, answer) {
    const [epoch, hash, ...rest] = trust.split(":");
    const header = readHeader(unhex(answer.header));
    if (rest.length > 0 || !/^[1-9][0-9]*$/.test(epoch) || header.epoch + 1n !== BigInt(epoch) ||
        hex(header.hash) !== hash) {
      throw new Error(`the block is not the one that ${trust} names`);
    }
    if (!equal(header.chainId, this.chainId)) {
      throw new Error("the header is of another chain");
    }
    this.step(header, answer);
  }

  // Goes to the next epoch by an answer of chain_epoch.
  advance(answer, nowMs = Date.now()) {
    this.step(this.check(unhex(answer.header), unhex(answer.certificate), nowMs), answer);
  }

  step(header, { next_validators: next }) {
    const validators = readValset(unhex(next));
    if (header.nextValsetHash.every((byte) => byte === 0)) {
      throw new Error("the block does not close its epoch");
    }
    if (!equal(valsetHash(validators), header.nextValsetHash)) {
      throw new Error("the next validators are not those that the boundary names");
    }
    this.epoch = header.epoch + 1n;
    this.boundary = { height: header.height, timeMs: header.timeMs, hash: header.hash };
    this.validators = validators;
  }

  // The header, if it is a final one of the epoch.
  check(headerBytes, certificate, nowMs = Date.now()) {
    const header = readHeader(headerBytes);
    if (header.epoch !== this.epoch) {
      throw new Error(`the block is of epoch ${header.epoch}, and ${this.epoch} is believed`);
    }
    if (this.trustingMs !== 0n && BigInt(nowMs) > this.boundary.timeMs + this.trustingMs) {
      throw new Error(`epoch ${this.epoch} is too old to be believed: begin with a later one, as EPOCH:HASH by a node ` +
        "that you trust");
    }
    if (header.height <= this.boundary.height || header.timeMs < this.boundary.timeMs) {
      throw new Error("the block is not after the boundary of its epoch");
    }
    return checkFinal(headerBytes, certificate, this.chainId, this.validators);
  }
}
