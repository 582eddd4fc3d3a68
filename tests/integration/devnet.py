"""devnet.py - a devnet of `novate devnet up`, for the tests beside it.

Its folder is the test's, its ports were free a moment ago, and every wait is for a condition with a
generous bound.
"""

import json
import os
import pathlib
import socket
import subprocess
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
NOVATE = ROOT / "build" / "bin" / "novate"
PATIENCE_S = 180


def free_base_port():
    """A base port with 80 free ports above it, below those that the kernel gives to clients."""
    for base in range(12000, 32600, 100):
        taken = False
        for port in range(base, base + 80):
            with socket.socket() as s:
                s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                try:
                    s.bind(("127.0.0.1", port))
                except OSError:
                    taken = True
                    break
        if not taken:
            return base
    raise RuntimeError("no free ports")


class Devnet:
    def __init__(self, folder, count=4):
        self.dir = folder
        self.count = count
        self.port = free_base_port()
        # What the command line remembers of a URL is this devnet's: ports are used again.
        self.environment = {**os.environ, "HOME": str(folder) + "-home"}
        os.makedirs(self.environment["HOME"], exist_ok=True)

    def run(self, *words, check=True):
        result = subprocess.run(
            [NOVATE, *words], capture_output=True, text=True, timeout=PATIENCE_S, check=False,
            env=self.environment)
        if check:
            assert result.returncode == 0, f"novate {words}: {result.stderr}{result.stdout}"
        return result

    def up(self, *more, check=True):
        return self.run("devnet", "up", "--dir", self.dir, "--base-port", str(self.port), "--validators",
                        str(self.count), "--detach", *more, check=check)

    def command(self, *words, check=True):
        return self.run("devnet", *words, "--dir", self.dir, check=check)

    def status(self):
        return json.loads(self.command("status", "--json").stdout)

    def url(self, node):
        return f"http://127.0.0.1:{self.port + 10 * node + 1}"

    def rpc(self, method, node=0, **params):
        words = [f"{key}={value}" for key, value in params.items()]
        return json.loads(self.run("rpc", method, *words, "--node", self.url(node)).stdout)

    def heights(self):
        return [int(row["finalized_height"]) if row["up"] else None for row in self.status()]

    def wait(self, what, why):
        end = time.monotonic() + PATIENCE_S
        while time.monotonic() < end:
            value = what()
            if value:
                return value
            time.sleep(0.2)
        raise AssertionError(f"waited in vain for {why}: {self.status()}")

    def wait_height(self, height, nodes=None):
        nodes = range(self.count) if nodes is None else nodes

        def reached():
            heights = self.heights()
            return all(heights[i] is not None and heights[i] >= height for i in nodes)
        self.wait(reached, f"height {height} on {nodes}")

    def pid(self, node):
        return int(pathlib.Path(self.dir, "run", f"node{node}.pid").read_text().split()[0])

    def log(self, node):
        return pathlib.Path(self.dir, "logs", f"node{node}.log").read_text(errors="replace")

    def block_hash(self, node, height):
        """Of a final block, which novate waits for where the node has not written it down yet."""
        return json.loads(self.run("block", str(height), "--node", self.url(node), "--json").stdout)["block_hash"]

    def one_chain(self):
        """Every node tells the same block of one height."""
        height = min(int(row["executed_height"]) for row in self.status() if row["up"])
        return len({self.block_hash(i, height) for i in range(self.count)}) == 1


def processes_in(folder):
    found = []
    for pid in os.listdir("/proc"):
        if pid.isdigit():
            try:
                line = pathlib.Path("/proc", pid, "cmdline").read_bytes().decode(errors="replace")
            except OSError:
                continue
            if str(folder) in line:
                found.append(line)
    return found
