"""devnet.py - a devnet of `novate devnet up`, for the tests beside it.

Its folder and its ports are the test's, and every wait is for a condition with a generous bound.
"""

import json
import os
import pathlib

import ports
from patience import BOUND_S, CLOCK, in_vain, pause_s, run, still, until

ROOT = pathlib.Path(__file__).resolve().parents[2]
NOVATE = ROOT / "build" / "bin" / "novate"
# What a node that is well says of what it cannot answer yet.
EARLY = ("height_in_future (", "busy (", "node_syncing (", "cannot be reached")


class Devnet:
    def __init__(self, folder, count=4):
        self.dir = folder
        self.count = count
        self.port = ports.block()
        # What the command line remembers of a URL is this devnet's: another run may use its ports again.
        self.environment = {**os.environ, "HOME": str(folder) + "-home"}
        os.makedirs(self.environment["HOME"], exist_ok=True)

    def run(self, *words, check=True):
        result = run([NOVATE, *words], env=self.environment)
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

    def answer(self, *words):
        """The JSON that a command prints, once the node has what is asked for."""
        def told():
            result = self.run(*words, check=False)
            early = result.returncode != 0 and any(text in result.stderr for text in EARLY)
            return None if early else result
        result = self.wait(told, words)
        assert result.returncode == 0, f"novate {words}: {result.stderr}{result.stdout}"
        return json.loads(result.stdout)

    def rpc(self, method, node=0, **params):
        words = [f"{key}={value}" for key, value in params.items()]
        return self.answer("rpc", method, *words, "--node", self.url(node))

    def heights(self):
        return [int(row["finalized_height"]) if row["up"] else None for row in self.status()]

    def all_up(self):
        """The status of all nodes, once all of them answer."""
        def up():
            rows = self.status()
            return rows if all(row["up"] for row in rows) else None
        return self.wait(up, "all nodes to answer")

    def wait(self, what, why):
        held_s = CLOCK.held_s
        value = until(what, pause_s=0.2)
        assert value, f"{in_vain(why, BOUND_S, held_s)}: {self.status()}"
        return value

    def wait_height(self, height, nodes=None):
        """Waits until the nodes are there, and returns their heights."""
        nodes = range(self.count) if nodes is None else nodes

        def reached():
            all_heights = self.heights()
            heights = [all_heights[i] for i in nodes]
            return heights if all(h is not None and h >= height for h in heights) else None
        return self.wait(reached, f"height {height} on {nodes}")

    def pid(self, node):
        return int(pathlib.Path(self.dir, "run", f"node{node}.pid").read_text().split()[0])

    def log(self, node):
        return pathlib.Path(self.dir, "logs", f"node{node}.log").read_text(errors="replace")

    def stands_still(self, nodes):
        """Waits until these nodes find nothing more final, and returns the height of the highest."""
        top = max(self.wait_height(1, nodes))
        blocks = self.rpc("chain_blocks", node=nodes[0], **{"from": max(1, top - 10), "count": 10})["blocks"]

        def look():
            all_heights = self.heights()
            heights = [all_heights[i] for i in nodes]
            return None if None in heights else heights
        heights = still(look, pause_s(blocks, 3))
        assert heights, f"the chain goes on: {self.status()}"
        return max(heights)

    def block_hash(self, node, height):
        return self.answer("block", str(height), "--node", self.url(node), "--json")["block_hash"]

    def one_chain(self):
        """Every node tells the same block of one height."""
        height = min(int(row["executed_height"]) for row in self.all_up())
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
