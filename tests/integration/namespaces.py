"""namespaces.py - a network of hosts in one machine: each node in a network namespace of its own.

    host 0 ── v0 ┐
    host 1 ── v1 ┼── bridge in a namespace that holds nothing else
    …            ┘

Nothing touches the machine's own network.  Host I has 10.77.0.(I+1); a host's link can be taken down and up
again.  Needs root and `ip`; `missing` says what is not there.
"""

import ctypes
import http.client
import os
import shutil
import subprocess

from net import ANSWER_S, NOVATED, Net, Node

PREFIX = f"nv{os.getpid()}"
LIBC = ctypes.CDLL(None, use_errno=True)
CLONE_NEWNET = 0x40000000


def missing():
    """Why hosts cannot be made here, or None."""
    if os.geteuid() != 0:
        return "network namespaces need root"
    if shutil.which("ip") is None:
        return "network namespaces need ip (package iproute2)"
    probe = subprocess.run(["ip", "netns", "add", f"{PREFIX}probe"], capture_output=True, text=True)
    if probe.returncode != 0:
        return f"network namespaces are not allowed here: {probe.stderr.strip()}"
    subprocess.run(["ip", "netns", "del", f"{PREFIX}probe"], check=True)
    return None


def ip(*words):
    subprocess.run(["ip", *words], check=True, capture_output=True)


def enter(namespace):
    """Moves this thread into a network namespace, an open file."""
    if LIBC.setns(namespace.fileno(), CLONE_NEWNET) != 0:
        raise OSError(ctypes.get_errno(), "setns")


class Inside(http.client.HTTPConnection):
    """A connection whose socket is made in a namespace, and so stays there."""

    def __init__(self, space, *words, **more):
        super().__init__(*words, **more)
        self.space = space

    def connect(self):
        with open("/proc/thread-self/ns/net") as own, open(f"/run/netns/{self.space}") as other:
            enter(other)
            try:
                super().connect()
            finally:
                enter(own)


class Host(Node):
    """A node in a namespace of its own."""

    def __init__(self, folder, number):
        super().__init__(folder, f"node{number}")
        self.number = number
        self.space = f"{PREFIX}h{number}"
        self.address = f"10.77.0.{number + 1}"

    def join(self, hub):
        near, far = f"v{self.number}", f"h{self.number}"
        ip("netns", "add", self.space)
        ip("-n", self.space, "link", "add", near, "type", "veth", "peer", "name", far, "netns", hub)
        ip("-n", hub, "link", "set", far, "master", "br0", "up")
        ip("-n", self.space, "addr", "add", f"{self.address}/24", "dev", near)
        ip("-n", self.space, "link", "set", near, "up")
        ip("-n", self.space, "link", "set", "lo", "up")

    def link(self, up):
        ip("-n", self.space, "link", "set", f"v{self.number}", "up" if up else "down")

    def configure(self, peers, **settings):
        super().configure(peers, **settings)
        conf = self.home / "novate.conf"
        text = conf.read_text().replace(f"listen = 127.0.0.1:{self.p2p}", f"listen = {self.address}:{self.p2p}")
        for peer in peers:
            text = text.replace(f"@127.0.0.1:{peer.p2p}", f"@{peer.address}:{peer.p2p}")
        conf.write_text(text)

    def start(self, *words):
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                ["ip", "netns", "exec", self.space, NOVATED, "--home", self.home, "start", *words],
                stdout=log, stderr=log)

    def connection(self):
        """From inside the host: its RPC port is on its own loopback."""
        return Inside(self.space, "127.0.0.1", self.rpc, timeout=ANSWER_S)


class HostNet(Net):
    """`count` validators, each on a host; leaves no namespace behind."""

    def __init__(self, folder, count):
        self.hub = f"{PREFIX}hub"
        super().__init__(folder, count)

    def make(self, folder, number):
        return Host(folder, number)

    def __enter__(self):
        ip("netns", "add", self.hub)
        ip("-n", self.hub, "link", "add", "br0", "type", "bridge")
        ip("-n", self.hub, "link", "set", "br0", "up")
        for host in self.nodes:
            host.join(self.hub)
        return self

    def __exit__(self, *words):
        super().__exit__(*words)
        for space in [host.space for host in self.nodes] + [self.hub]:
            subprocess.run(["ip", "netns", "del", space], capture_output=True, check=False)
