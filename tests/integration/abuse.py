"""abuse.py - three honest validators and whoever abuses them; what it costs them.

The fourth validator is down, or floods in its place (tests/abuse/flood.c); strangers knock without
ever saying who they are.  What is looked at: the time between blocks, from the blocks themselves, and
the memory of the honest.  Run as a program it prints a table: each abuse beside the quiet before it.
"""

import contextlib
import json
import os
import pathlib
import select
import socket
import ssl
import statistics
import subprocess
import sys
import tempfile
import threading

from net import NOVATED, Net, wait
from patience import BOUND_S, end_of

FLOOD = pathlib.Path(os.environ.get("NOVATE_FLOOD", NOVATED.parents[1] / "release" / "bin" / "flood"))
FLOODS = ["votes_future", "votes_repeated", "chunks", "requests", "statuses", "certificates"]  # which ends in a ban
STRANGERS = ["connections", "half_open", "half_shaken", "hellos"]
BOUND_MIB = 300


def hello():
    """The first message of a TLS handshake."""
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    out = ssl.MemoryBIO()
    with contextlib.suppress(ssl.SSLWantReadError):
        context.wrap_bio(ssl.MemoryBIO(), out).do_handshake()
    return out.read()


# What a stranger says first; nothing comes after it.  The record of the half-shaken never ends.
FIRST = {"half_shaken": bytes([0x16, 3, 1, 0x20, 0]) + bytes(64), "hellos": hello()}


class Flood:
    """The fourth validator, flooding while the block lasts."""

    def __init__(self, net, kind):
        self.home, self.kind = net.nodes[3].home, kind
        self.told = None

    def __enter__(self):
        self.process = subprocess.Popen([FLOOD, self.home, self.kind], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        wait("a flood", lambda: select.select([self.process.stdout], [], [], 0)[0])
        assert self.process.stdout.readline() == b"flooding\n"
        return self

    def __exit__(self, *_):
        self.process.stdin.close()
        assert end_of(self.process) == 0
        self.told = json.loads(self.process.stdout.read())


class Strangers:
    """Connections to the p2p ports from nobody in particular."""

    def __init__(self, net, kind):
        self.ports, self.kind = [n.p2p for n in net.nodes[:3]], kind
        self.end = threading.Event()
        self.made = 0

    def source(self):
        """Hellos come from many networks, all else from one address."""
        return (f"127.{self.made % 250 + 1}.{self.made // 250 % 250}.1", 0) if self.kind == "hellos" else None

    def knock(self, held):
        for port in self.ports:
            with contextlib.suppress(OSError):  # it may be shut out, or hung up on
                s = socket.create_connection(("127.0.0.1", port), timeout=1, source_address=self.source())
                self.made += 1
                if self.kind == "connections":
                    s.close()
                    continue
                held.append(s)
                s.send(FIRST.get(self.kind, b""))
        while len(held) > 600:
            held.pop(0).close()

    def run(self):
        held = []
        while not self.end.wait(0.002):
            self.knock(held)
        for s in held:
            s.close()

    def __enter__(self):
        self.thread = threading.Thread(target=self.run)
        self.thread.start()
        wait("a stranger", lambda: self.made > 0)
        return self

    def __exit__(self, *_):
        self.end.set()
        self.thread.join(BOUND_S)
        self.told = {"sent": self.made, "shut_out": 0}


def abuse(net, kind):
    return (Flood if kind in FLOODS else Strangers)(net, kind)


def rss_mib(node):
    for line in pathlib.Path("/proc", str(node.process.pid), "status").read_text().splitlines():
        if line.startswith("VmRSS"):
            return int(line.split()[1]) / 1024
    raise AssertionError("no VmRSS")


def interval_ms(net, blocks):
    """The median time between the next `blocks` blocks."""
    node = net.nodes[0]
    first = node.height() + 1
    wait(f"{blocks} blocks", lambda: node.height() >= first + blocks, nodes=net.nodes[:3])
    times = [node.call("chain_block", height=str(h))["block_time_ms"] for h in range(first, first + blocks)]
    return statistics.median(b - a for a, b in zip(times, times[1:]))


def quiet_net(folder):
    """Four homes, of which the first three run; a block every 100 ms, and bans that end soon."""
    net = Net(folder, 4, consensus={"interval_min_ms": 100, "idle_ms": 100}, p2p__ban_ms=3000)
    for node in net.nodes[:3]:
        node.start()
    net.reach(3, net.nodes[:3])
    return net


def main():
    blocks = int(sys.argv[1]) if len(sys.argv) > 1 else 100
    with tempfile.TemporaryDirectory() as folder, quiet_net(folder) as net:
        print(f"{'abuse':16} {'messages':>10} {'quiet ms':>9} {'abused ms':>9} {'ratio':>6} {'MiB':>6}")
        for kind in FLOODS + STRANGERS:
            before = interval_ms(net, blocks)
            with abuse(net, kind) as one:
                during = interval_ms(net, blocks)
                size = max(rss_mib(n) for n in net.nodes[:3])
            print(f"{kind:16} {one.told['sent']:10} {before:9.0f} {during:9.0f} {during / before:6.2f} {size:6.0f}",
                  flush=True)


if __name__ == "__main__":
    main()
