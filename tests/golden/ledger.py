#!/usr/bin/env python3
"""Writes tests/golden/ledger.txt: the ledger of docs/spec/ledger.md, slowly.

A second implementation, from the specification, in exact fractions and integers without a bound. It drives itself with
random operations, checks after each that every account's equity is what it was paid in and out (nothing is rounded away),
and writes the operations with the state that must follow. `ledger.py` writes the file; `--check` compares it with the
committed one; `--seed N` writes another random sequence to standard output.

Lines of the file, numbers in decimal:

    market TICK_VALUE MAKER_PPB TAKER_PPB INTERVAL_MS PERIOD_MS CAP_PPB      a new market and new accounts
    fill BUYER SELLER LOTS PRICE BUYER_MAKER SELLER_MAKER
    at ACCOUNT LOTS AMOUNT                                                   a side of a transfer at an amount
    block MS MARK INDEX FRESH                                                time passes; funding
    settle VALUE                                                             every position, at a value per lot
    account ID CASH LOTS COST                                                expected, of those that changed
    sums REALISED CARRY OPEN_INTEREST FEES                                   expected
    expiry WINDOW_MS END_MS                                                  a new dated market
    index TIME_MS PRICE                                                      a block; PRICE 0: no index accepted
    settled VALUE                                                            expected in this block, -1: not settled
"""
import math
import pathlib
import random
import sys
from fractions import Fraction

ACCOUNTS = 6
PPB = 10**9


class Ledger:
    def __init__(self, tick_value, maker, taker):
        self.tick_value, self.maker, self.taker = tick_value, maker, taker
        self.cash = [0] * ACCOUNTS
        self.lots = [0] * ACCOUNTS
        self.cost = [0] * ACCOUNTS
        self.paid = [0] * ACCOUNTS  # all amounts less all fees: what an account must be worth with its lots
        self.realised = self.carry = self.fees = 0

    def transfer(self, account, t, amount):
        held, cost = self.lots[account], self.cost[account]
        if held == 0 or t == 0 or (held > 0) == (t > 0):
            realised = 0
            self.cost[account] += amount
        elif abs(t) <= abs(held):
            released = math.floor(Fraction(cost) * Fraction(abs(t), abs(held)))
            realised = released + amount
            self.cost[account] -= released
        else:
            closing = math.floor(Fraction(amount) * Fraction(abs(held), abs(t)))
            realised = cost + closing
            self.cost[account] = amount - closing
        self.lots[account] += t
        self.cash[account] += realised
        self.realised += realised
        self.paid[account] += amount

    def side(self, account, t, price, maker):
        self.transfer(account, t, -t * (price * self.tick_value - self.carry))
        rate = self.maker if maker else self.taker
        fee = math.ceil(Fraction(abs(t * price * self.tick_value) * rate, PPB))
        self.cash[account] -= fee
        self.paid[account] -= fee
        self.fees += fee

    def fund(self, delta):
        self.carry += delta

    def settle(self, value):
        for account in range(ACCOUNTS):
            held = self.lots[account]
            if held != 0:
                self.transfer(account, -held, held * (value - self.carry))

    def check(self):
        assert sum(self.lots) == 0
        assert sum(self.cost) + self.realised == 0
        assert sum(self.cash) + self.fees == self.realised
        for account in range(ACCOUNTS):
            # equity at any mark: what was paid, and the lots at that mark net of the carry
            assert self.cash[account] + self.cost[account] == self.paid[account]

    def open_interest(self):
        return sum(lots for lots in self.lots if lots > 0)


class Funding:
    """Section 5, one market."""

    def __init__(self, interval, period, cap):
        self.interval, self.period, self.cap = interval, period, cap
        self.at = self.next = None
        self.sum = self.premium = 0

    def block(self, now, mark, index, fresh):
        delta = 0
        if self.next is not None:
            self.sum += self.premium * min(now - self.at, 60000)
            if now >= self.next:
                limit = math.floor(Fraction(abs(index) * self.cap, PPB))
                delta = max(-limit, min(limit, math.floor(Fraction(self.sum, self.period))))
                self.sum = 0
        if self.next is None or now >= self.next:
            self.next = (now // self.interval + 1) * self.interval
        self.at = now
        self.premium = mark - index if fresh else 0
        return delta


def average(samples, window, end):
    """Section 6, a millisecond at a time: what a market settles at in a block, or None.

    `samples` are (time, price) up to that block.
    """
    gap = min(60000, max(1000, window // 10))
    times = [time for time, _ in samples]

    def in_force(ms):
        at = None
        for i, time in enumerate(times):
            if time <= ms:
                at = i
        return at

    total = covered = 0
    for ms in range(end - window, end):
        at = in_force(ms)
        if at is None:
            continue
        until = min(times[at + 1], end) if at + 1 < len(times) else end
        if until - times[at] <= gap:
            total, covered = total + samples[at][1], covered + 1
    if covered * 100 >= window * 80:
        return total // covered
    for ms in range(end, times[-1] if times else end):
        at = in_force(ms)
        if at is not None and times[at + 1] - times[at] <= gap:
            total, covered = total + samples[at][1], covered + 1
    return total // covered if covered * 100 >= window * 80 else None


def ledger_run(rng, operations):
    tick_value = rng.choice([1, 7, 100, 10**6])
    maker, taker = rng.choice([(0, 0), (100000, 450000), (1, 999999999)])
    interval = rng.choice([1000, 60000, 3600000])
    period, cap = rng.choice([(60000, 10**8), (28800000, 7500000)])
    yield f"market {tick_value} {maker} {taker} {interval} {period} {cap}"
    ledger, funding = Ledger(tick_value, maker, taker), Funding(interval, period, cap)
    now, price = 1700000000000, 1000
    told = [(0, 0, 0)] * ACCOUNTS
    for _ in range(operations):
        price = max(1, price + rng.randint(-20, 20))
        kind = rng.random()
        if kind < 0.7:
            buyer, seller = rng.sample(range(ACCOUNTS), 2)
            lots = rng.choice([1, 2, 3, 7, 10, rng.randint(1, 1000)])
            makers = rng.choice([(0, 1), (1, 0), (0, 0), (1, 1)])
            yield f"fill {buyer} {seller} {lots} {price} {makers[0]} {makers[1]}"
            ledger.side(buyer, lots, price, makers[0])
            ledger.side(seller, -lots, price, makers[1])
        elif kind < 0.8:
            first, second, third = rng.sample(range(ACCOUNTS), 3)
            lots = (rng.randint(-50, 50), rng.randint(-50, 50))
            amounts = (rng.randint(-10**9, 10**9), rng.randint(-10**9, 10**9))
            for account, t, amount in (
                (first, lots[0], amounts[0]), (second, lots[1], amounts[1]), (third, -sum(lots), -sum(amounts))):
                yield f"at {account} {t} {amount}"
                ledger.transfer(account, t, amount)
        elif kind < 0.99:
            ms = rng.choice([0, 1, 400, 1000, rng.randint(0, 200000)])
            index = (price + rng.randint(-30, 30)) * tick_value
            mark = price * tick_value + rng.randint(-5, 5)
            fresh = int(rng.random() < 0.9)
            now += ms
            yield f"block {ms} {mark} {index} {fresh}"
            ledger.fund(funding.block(now, mark, index, fresh))
        else:
            value = price * tick_value + rng.randint(-3, 3)
            yield f"settle {value}"
            ledger.settle(value)
            assert ledger.lots == [0] * ACCOUNTS and ledger.cost == [0] * ACCOUNTS
        ledger.check()
        for account in range(ACCOUNTS):
            state = (ledger.cash[account], ledger.lots[account], ledger.cost[account])
            if state != told[account]:
                yield f"account {account} {state[0]} {state[1]} {state[2]}"
                told[account] = state
        yield f"sums {ledger.realised} {ledger.carry} {ledger.open_interest()} {ledger.fees}"


def expiry_run(rng):
    window = rng.choice([1000, 3000, 10000, 20000])
    end = 1700000000000 + rng.randint(window, 3 * window)
    yield f"expiry {window} {end}"
    gap = min(60000, max(1000, window // 10))
    now = max(1700000000000, end - window - rng.randint(0, 2 * gap))
    samples, settled = [], False
    loss = rng.choice([0.0, 0.1, 0.5])
    pause = rng.choice([gap // 4, gap // 2, gap - 1, 2 * gap])
    while not settled and now < end + 4 * window:
        price = rng.randint(900, 1100) * 10**6 + rng.randint(0, 999999)
        accepted = rng.random() >= loss
        if accepted:
            samples.append((now, price))
        yield f"index {now} {price if accepted else 0}"
        value = average(samples, window, end) if now >= end else None
        settled = value is not None
        yield f"settled {value if settled else -1}"
        now += rng.choice([gap, gap + 1]) if rng.random() < 0.1 else rng.randint(1, max(1, pause))


def document(seed):
    rng = random.Random(seed)
    lines = []
    for _ in range(12):
        lines += ledger_run(rng, 40)
    for _ in range(16):
        lines += expiry_run(rng)
    return "\n".join(lines) + "\n"


def main(arguments):
    path = pathlib.Path(__file__).with_suffix(".txt")
    if arguments[:1] == ["--seed"]:
        sys.stdout.write(document(int(arguments[1])))
    elif arguments == ["--check"]:
        if path.read_text() != document(1):
            sys.exit(f"{path} differs from what {__file__} makes")
    else:
        path.write_text(document(1))


main(sys.argv[1:])
