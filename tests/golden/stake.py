#!/usr/bin/env python3
"""Writes tests/golden/stake.txt: stake as docs/spec/stake.md tells it, slowly.

A second implementation, from the specification, in exact fractions and integers without a bound. It drives itself with random
actions, certificates, boundaries and offences, checks after each block that no micro has come or gone and that all shares are
held, and writes them with the state that must follow. `stake.py` writes the file; `--check` compares it with the committed one;
`--seed N` writes another random sequence to standard output.

The chain is the small one of tests/lib/vm_world.h: traders 0 to 4, then three operators of genesis. Lines, numbers in decimal:

    world                                                a new chain
    act KIND ACCOUNT VALIDATOR AMOUNT CODE RESULT        an action in the block to come, and its outcome
    block SIGNERS BOUNDARY POT OFFENDER EPOCH            a block of 500 ms; POT is put into the pot before it, OFFENDER -1: none
    account ACCOUNT CASH                                 expected, of those that changed
    validator VALIDATOR TOKENS SHARES DUE STATUS         expected, likewise
    sums EPOCH POT STAKED INSURANCE MEMBERS              expected
"""
import importlib
import math
import pathlib
import random
import sys
from fractions import Fraction

base = importlib.import_module("bytes")  # tests/golden/bytes.py

TRADERS, OPERATORS, UNIT, PPB = 5, 3, 10**6, 10**9
STAKE_MIN, UNBOND_EPOCHS, UNBOND_TIME, UPTIME_BLOCKS = UNIT, 2, 2000, 4
UPTIME_MIN, SLASH, STEP = PPB // 4, PPB // 20, PPB // 100
DELEGATE, UNDELEGATE, WITHDRAW, CLAIM, COMMISSION, UNJAIL = 14, 15, 16, 17, 18, 19
BALANCE, UNKNOWN_VALIDATOR, TOMBSTONED, MINIMUM, UNKNOWN, LOCKED, NOT_JAILED, JAIL_TIME, RATE = 3002, 8004, 8006, 8007, 8008, 8009, 8011, 8012, 8013


class Pool:
    def __init__(self, tokens=0, shares=0):
        self.tokens, self.shares = tokens, shares

    def rate(self):
        return Fraction(self.tokens, self.shares) if self.shares else Fraction(1)

    def shares_of(self, tokens):
        return math.floor(tokens / self.rate())

    def cost_of(self, shares):
        return math.ceil(shares * self.rate())

    def worth_of(self, shares):
        return math.floor(shares * self.rate())


class Validator:
    def __init__(self, stake, key):
        self.pool, self.key = Pool(stake, stake), key
        self.due, self.commission, self.commission_epoch = 0, PPB // 10, 0
        self.status, self.jailed_epoch, self.slashes = 1, 0, []
        self.batches = {}


class Chain:
    def __init__(self):
        self.cash = [(200000 if i < 4 else 10000) * UNIT for i in range(TRADERS)] + [0] * OPERATORS
        self.validators = [Validator(1000 * UNIT * (OPERATORS - i), base.tagged("novate/test/key", (600 + i).to_bytes(4, "big"))) for i in range(OPERATORS)]
        self.held = {(TRADERS + i, i): v.pool.shares for i, v in enumerate(self.validators)}
        self.waiting = {}  # (account, validator, epoch): [shares, release]
        self.epoch, self.epoch_height, self.height, self.time, self.pot, self.insurance = 1, 0, 0, 0, 0, 0
        self.set = self.chosen = self.choose([])
        self.blocks, self.present = 0, [0] * OPERATORS
        self.minted = sum(self.cash) + self.staked()

    def staked(self):
        return sum(v.pool.tokens + v.due + sum(b.tokens for b in v.batches.values()) for v in self.validators)

    def check(self):
        assert sum(self.cash) + self.staked() + self.pot + self.insurance == self.minted
        for i, v in enumerate(self.validators):
            assert v.pool.shares == sum(s for (_, of), s in self.held.items() if of == i)
            for epoch, batch in v.batches.items():
                assert batch.shares == sum(w[0] for (_, of, e), w in self.waiting.items() if (of, e) == (i, epoch))

    # --- sections 4 and 5

    def eligible(self, i):
        v = self.validators[i]
        return v.status == 1 and v.pool.worth_of(self.held.get((TRADERS + i, i), 0)) >= 1000 * UNIT

    def choose(self, fallback):
        members = [(i, v.pool.tokens) for i, v in enumerate(self.validators) if self.eligible(i)]
        inside = {i for i, _ in fallback}
        members.sort(key=lambda m: (-m[1], self.validators[m[0]].key))
        room = math.floor(Fraction(sum(t for i, t in members if i in inside) * 333333333, PPB))
        out, entered, closed = [], 0, False
        for i, stake in members:
            if inside and i not in inside and any(j in inside for j, _ in members):
                closed = closed or (entered > 0 and entered + stake > room)
                if closed:
                    continue
                entered += stake
            out.append((i, stake))
        return out or fallback

    def reward(self):
        pot, total = self.pot, sum(stake for _, stake in self.set)
        for place, (i, stake) in enumerate(self.set):
            v = self.validators[i]
            if self.blocks == 0:
                break
            part = math.floor(Fraction(pot * stake, total))
            amount = math.floor(Fraction(part * self.present[place], self.blocks))
            if self.blocks >= UPTIME_BLOCKS and self.present[place] * PPB < self.blocks * UPTIME_MIN:
                if v.status == 1:
                    v.status, v.jailed_epoch = 2, self.epoch
            elif v.status != 3 and v.pool.shares > 0:
                own = math.floor(Fraction(amount * v.commission, PPB))
                self.pot -= amount
                v.due += own
                v.pool.tokens += amount - own

    # --- section 6

    def slash(self, i, epoch):
        v = self.validators[i]
        if epoch in v.slashes or len(v.slashes) == 8:
            return
        v.slashes.append(epoch)
        v.status = 3
        for pool in [v.pool] + [b for e, b in v.batches.items() if e >= epoch]:
            cut = math.ceil(Fraction(pool.tokens * SLASH, PPB))
            pool.tokens -= cut
            self.insurance += cut

    # --- section 2: each judged on the pools as they are now; what it returns happens afterwards

    def judge(self, kind, account, i, amount):
        v = self.validators[i]
        own = account - TRADERS
        if kind in (CLAIM, COMMISSION, UNJAIL):
            return self.judge_own(kind, own, amount)
        if kind == DELEGATE:
            if v.status == 3:
                return TOMBSTONED, 0, None
            shares = v.pool.shares_of(amount) if v.pool.shares == 0 or v.pool.tokens else 0
            if amount < STAKE_MIN or shares == 0:
                return MINIMUM, 0, None
            cost = v.pool.cost_of(shares)
            if cost > self.cash[account]:
                return BALANCE, 0, None
            return 0, shares, lambda: self.join(account, i, shares, cost)
        if kind == UNDELEGATE:
            return self.judge_undelegate(account, i, amount)
        entries = [(a, of, e) for a, of, e in self.waiting if (a, of) == (account, i)]
        ready = [k for k in entries if self.epoch - k[2] >= UNBOND_EPOCHS and self.waiting[k][1] <= self.time]
        if not ready:
            return LOCKED if entries else UNKNOWN, 0, None
        worths = [(k, v.batches[k[2]].worth_of(self.waiting[k][0])) for k in ready]
        return 0, sum(w for _, w in worths), lambda: self.withdraw(account, v, worths)

    def judge_own(self, kind, own, amount):
        if own < 0:
            return UNKNOWN_VALIDATOR, 0, None
        v = self.validators[own]
        if kind == CLAIM:
            return (0, v.due, lambda due=v.due: self.claim(own, due)) if v.due else (UNKNOWN, 0, None)
        if kind == COMMISSION:
            if v.commission_epoch == self.epoch or amount - v.commission > STEP:
                return RATE, 0, None
            v.commission, v.commission_epoch = amount, self.epoch
            return 0, 0, None
        if v.status != 2:
            return NOT_JAILED, 0, None
        if v.pool.worth_of(self.held.get((TRADERS + own, own), 0)) < 1000 * UNIT:
            return MINIMUM, 0, None
        if self.epoch < v.jailed_epoch + 2:
            return JAIL_TIME, 0, None
        v.status = 1
        return 0, 0, None

    def judge_undelegate(self, account, i, amount):
        v, held = self.validators[i], self.held.get((account, i))
        if held is None:
            return UNKNOWN, 0, None
        if amount > v.pool.worth_of(held):
            return BALANCE, 0, None
        shares = math.ceil(amount / v.pool.rate())
        if v.pool.worth_of(held - shares) < STAKE_MIN:
            shares = held
        if amount < STAKE_MIN and shares != held:
            return MINIMUM, 0, None
        worth = v.pool.worth_of(shares)
        batch = v.batches.get(self.epoch, Pool())
        part = batch.shares_of(worth) if batch.shares == 0 or batch.tokens else 0
        if part == 0:
            return TOMBSTONED, 0, None
        return 0, worth, lambda: self.leave(account, i, shares, worth, part)

    def join(self, account, i, shares, cost):
        self.cash[account] -= cost
        self.held[account, i] = self.held.get((account, i), 0) + shares
        pool = self.validators[i].pool
        pool.tokens, pool.shares = pool.tokens + cost, pool.shares + shares

    def leave(self, account, i, shares, worth, part):
        v = self.validators[i]
        self.held[account, i] -= shares
        if self.held[account, i] == 0:
            del self.held[account, i]
        v.pool.tokens, v.pool.shares = v.pool.tokens - worth, v.pool.shares - shares
        batch = v.batches.setdefault(self.epoch, Pool())
        batch.tokens, batch.shares = batch.tokens + worth, batch.shares + part
        entry = self.waiting.setdefault((account, i, self.epoch), [0, 0])
        entry[0], entry[1] = entry[0] + part, self.time + UNBOND_TIME

    def withdraw(self, account, v, worths):
        for k, worth in worths:
            batch = v.batches[k[2]]
            self.cash[account] += worth
            batch.tokens, batch.shares = batch.tokens - worth, batch.shares - self.waiting.pop(k)[0]
            if batch.shares == 0:
                self.pot += batch.tokens
                del v.batches[k[2]]

    def claim(self, own, due):
        self.cash[TRADERS + own] += due
        self.validators[own].due -= due

    def block(self, acts, signers, boundary, pot, offence):
        self.height += 1
        self.time += 500
        self.pot += pot
        self.minted += pot
        if offence:
            self.slash(*offence)
        outcomes = [self.judge(*act) for act in acts]
        for _, _, landing in outcomes:
            if landing:
                landing()
        for v in self.validators:
            if v.pool.shares == 0:
                self.pot += v.pool.tokens
                v.pool.tokens = 0
        if self.set and self.height != self.epoch_height + 1:
            self.blocks += 1
            self.present = [p + (signers >> n & 1) for n, p in enumerate(self.present)]
        if boundary:
            self.reward()
            self.set = self.chosen
            self.blocks, self.present = 0, [0] * len(self.set)
            self.epoch, self.epoch_height = self.epoch + 1, self.height
        if self.height % 64 == 0:
            self.chosen = self.choose(self.set)
        self.check()
        return [(code, result) for code, result, _ in outcomes]


def amount(rng, chain, account, i):
    held = chain.validators[i].pool.worth_of(chain.held.get((account, i), 0))
    return max(1, rng.choice([UNIT, UNIT - 1, held, held - 1, held // 2, held // 3, rng.randrange(1, 2000 * UNIT), chain.cash[account], chain.cash[account] // 7, chain.cash[account] + 1]))


def acts(rng, chain):
    out = []
    for account in range(TRADERS + OPERATORS):
        if rng.random() < 0.35:
            i = rng.randrange(OPERATORS)
            kind = rng.choice([DELEGATE] * 4 + [UNDELEGATE] * 4 + [WITHDRAW] * 3 + [CLAIM, COMMISSION, UNJAIL])
            if account >= TRADERS and kind == UNDELEGATE and rng.random() < 0.6:
                kind = CLAIM  # operators stay, mostly
            out.append((kind, account, i, rng.randrange(PPB // 5) if kind == COMMISSION else amount(rng, chain, account, i)))
    return out


def state(chain):
    lines = {f"account {a}": f"{c}" for a, c in enumerate(chain.cash)}
    lines.update({f"validator {i}": f"{v.pool.tokens} {v.pool.shares} {v.due} {v.status}" for i, v in enumerate(chain.validators)})
    return lines


def sequence(seed, blocks):
    rng, chain, lines, told, awake = random.Random(seed), Chain(), ["world"], {}, 7
    for _ in range(blocks):
        todo = acts(rng, chain)
        signers, boundary, pot = rng.choice([7, 7, 7, 6, 5, 3, 1]) & awake, rng.random() < 0.12, rng.choice([0, 0, 0, 1, 7777777])
        awake = rng.choice([7, 7, 7, 3, 5, 6]) if boundary else awake
        offence = (rng.randrange(OPERATORS), rng.randrange(max(1, chain.epoch - 2), chain.epoch + 1)) if chain.height > 150 and rng.random() < 0.03 else None
        outcomes = chain.block(todo, signers, boundary, pot, offence)
        lines += ["act " + " ".join(map(str, act + outcome)) for act, outcome in zip(todo, outcomes)]
        lines.append(f"block {signers} {int(boundary)} {pot} {offence[0] if offence else -1} {offence[1] if offence else 0}")
        now = state(chain)
        lines += [f"{name} {value}" for name, value in now.items() if told.get(name) != value]
        told = now
        lines.append(f"sums {chain.epoch} {chain.pot} {chain.staked()} {chain.insurance} {len(chain.set)}")
    return lines


def document(seeds):
    return "\n".join(line for seed in seeds for line in sequence(seed, 260)) + "\n"


def main():
    path = pathlib.Path(__file__).with_name("stake.txt")
    if sys.argv[1:2] == ["--seed"]:
        sys.stdout.write(document([int(sys.argv[2])]))
    elif sys.argv[1:] == ["--check"]:
        sys.exit(0 if path.read_text() == document([1, 2, 3]) else "tests/golden/stake.txt is not what stake.py writes")
    else:
        path.write_text(document([1, 2, 3]))


if __name__ == "__main__":
    main()
