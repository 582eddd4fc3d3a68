"""patience.py - how tests wait: for what they assert next, never for a time.

A bound is generous, and counts the time in which this machine ran: where a virtual machine is held for
minutes, with its clock going on, nobody in it was slow.
"""

import subprocess
import threading
import time

BOUND_S = 300.0
TICK_S = 0.2
TICK_MOST_S = 3.0  # what a tick counts at most; the machine was held, or nearly so, for what is above


class Clock(threading.Thread):
    """Seconds in which the machine ran, and in which it was held."""

    def __init__(self):
        super().__init__(daemon=True)
        self.ran_s = self.held_s = 0.0
        self.start()

    def run(self):
        last = time.monotonic()
        while True:
            time.sleep(TICK_S)
            now = time.monotonic()
            self.ran_s += min(now - last, TICK_MOST_S)
            self.held_s += max(0.0, now - last - TICK_MOST_S)
            last = now


CLOCK = Clock()


def until(condition, bound_s=BOUND_S, pause_s=0.05):
    """Polls until `condition` returns something true, and returns it; or what it returned last."""
    end = CLOCK.ran_s + bound_s
    while True:
        late = CLOCK.ran_s >= end
        result = condition()
        if result or late:
            return result
        time.sleep(pause_s)


def still(look, still_s, bound_s=BOUND_S):
    """Polls until `look` has returned the same thing, and not None, for so long; None when it never does."""
    seen, since = None, 0.0

    def settled():
        nonlocal seen, since
        now, told = CLOCK.ran_s, look()
        if told is None or told != seen:
            seen, since = told, CLOCK.ran_s
            return False
        return now - since >= still_s
    return seen if until(settled, bound_s) else None


def pause_s(blocks, least_s):
    """How long nothing comes where nothing will: several times as long as the slowest of these blocks took."""
    times = [block["block_time_ms"] for block in blocks]
    slowest_ms = max((b - a for a, b in zip(times, times[1:])), default=0)
    return min(max(least_s, 3 * slowest_ms / 1000), BOUND_S / 10)


def in_vain(what, bound_s, held_s):
    """What a wait says that began when CLOCK.held_s was `held_s`."""
    held = CLOCK.held_s - held_s
    return f"not within {bound_s} s: {what}" + (f" (the machine was held for {held:.0f} s)" if held else "")


def end_of(process, bound_s=BOUND_S):
    """The exit code of a process that ends by itself."""
    held_s = CLOCK.held_s
    assert until(lambda: process.poll() is not None, bound_s), in_vain(f"the end of {process.args}", bound_s, held_s)
    return process.returncode


def run(words, bound_s=BOUND_S, **more):
    """Runs a program to its end and returns the completed process with its output as text."""
    end, held_s = CLOCK.ran_s + bound_s, CLOCK.held_s
    with subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, **more) as process:
        while True:
            try:
                out, err = process.communicate(timeout=1)
                return subprocess.CompletedProcess(words, process.returncode, out, err)
            except subprocess.TimeoutExpired:
                if CLOCK.ran_s >= end:
                    process.kill()
                    raise AssertionError(in_vain(f"the end of {words}", bound_s, held_s)) from None
