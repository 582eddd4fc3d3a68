"""net.py - a network of real daemons on loopback, for the tests beside it.

Every node has a home of its own below a temporary folder and ports of its own.
Nothing here waits for a fixed time: `wait` polls a condition until a generous bound
and then fails with what the nodes' logs say.
"""

import contextlib
import http.client
import json
import os
import pathlib
import signal
import subprocess
import time

import ports
from patience import BOUND_S, CLOCK, end_of, in_vain, pause_s, run, still, until

ROOT = pathlib.Path(__file__).resolve().parents[2]
# NOVATE_BIN=build/asan/bin takes the programs of another flavour.
NOVATED = ROOT / os.environ.get("NOVATE_BIN", "build/bin") / "novated"
ANSWER_S = 60  # a node that runs answers within
FEES = "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed"
INSURANCE = "0xfB6916095ca1df60bB79Ce92cE3Ea74c37c5d359"
FAUCET = "0xdbF03B407c01E7cD3CBea99509d93f8DDDC8C6FB"
REPORTER = "0xD1220A0cf47c7B9Be7A2E6BA89F429762e7b9aDb"


def wait(what, condition, bound_s=BOUND_S, nodes=()):
    """Polls until `condition` returns something true, and returns it."""
    held_s = CLOCK.held_s
    result = until(condition, bound_s)
    if not result:
        logs = "\n".join(f"--- {n.name}\n{n.log_tail()}" for n in nodes)
        raise AssertionError(f"{in_vain(what, bound_s, held_s)}\n{logs}")
    return result


def stands_still(nodes):
    """Waits until these nodes execute nothing more, and returns the height of the highest."""
    top = max(n.height() for n in nodes)
    blocks = nodes[0].call("chain_blocks", **{"from": str(max(1, top - 10)), "count": 10})["blocks"]
    heights = still(lambda: [n.height() for n in nodes] if all(n.status() for n in nodes) else None,
                    pause_s(blocks, 2))
    assert heights, "the chain goes on\n" + "\n".join(n.log_tail() for n in nodes)
    return max(heights)


class Node:
    """One home and, while it runs, its process."""

    def __init__(self, folder, name):
        self.name = name
        self.home = pathlib.Path(folder) / name
        self.p2p, self.rpc, self.metrics = ports.some(3)
        self.log = pathlib.Path(folder) / f"{name}.log"
        self.process = None

    def run(self, *words, **more):
        """Runs novated to its end and returns the completed process."""
        return run([NOVATED, "--home", self.home, *words], **more)

    def init(self):
        done = self.run("init")
        assert done.returncode == 0, done.stderr

    def key(self, which):
        return json.loads((self.home / "keys" / f"{which}.json").read_text())["key"]

    def configure(self, peers, **settings):
        """Writes novate.conf; a setting section__key=value, or key=value of limits."""
        lines = {
            "node": [f"name = {self.name}", f"log = {settings.pop('log', 'info')}"],
            "p2p": [f"listen = 127.0.0.1:{self.p2p}", "peers ="],
            "rpc": [f"listen = 127.0.0.1:{self.rpc}", f"metrics = 127.0.0.1:{self.metrics}"],
            "limits": [f"segment_mib = {settings.pop('segment_mib', 16)}", "database_gib = 8"],
        }
        for peer in peers:
            if peer is not self:
                lines["p2p"].append(f"    {peer.key('node')[2:]}@127.0.0.1:{peer.p2p}")
        for key, value in settings.items():
            section, _, name = key.rpartition("__") if "__" in key else ("limits", "", key)
            lines.setdefault(section, []).append(f"{name} = {value}")
        text = "".join(f"[{s}]\n" + "\n".join(l) + "\n" for s, l in lines.items())
        (self.home / "novate.conf").write_text(text)

    def start(self, *words, **env):
        log = self.log.open("ab")
        self.process = subprocess.Popen(
            [NOVATED, "--home", self.home, "start", *words], stdout=log, stderr=log, env={**os.environ, **env})
        log.close()

    def alive(self):
        return self.process is not None and self.process.poll() is None

    def kill(self):
        self.process.kill()
        self.ended()

    def stop(self):
        """Ends it by SIGTERM and returns its exit code."""
        self.process.send_signal(signal.SIGTERM)
        return self.ended()

    def ended(self):
        """Waits for its own end and returns the exit code."""
        code = end_of(self.process)
        self.process = None
        return code

    def log_tail(self, lines=30):
        if not self.log.exists():
            return ""
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-lines:])

    def connection(self):
        return http.client.HTTPConnection("127.0.0.1", self.rpc, timeout=ANSWER_S)

    def ask(self, method, **params):
        """Asks over RPC and returns the whole reply; OSError when there is none."""
        body = json.dumps({"jsonrpc": "2.0", "id": 1, "method": method, "params": params})
        with contextlib.closing(self.connection()) as connection:
            try:
                connection.request("POST", "/", body, {"Content-Type": "application/json"})
                return json.loads(connection.getresponse().read())  # "busy" has an HTTP status of its own
            except http.client.HTTPException as torn:
                raise OSError(f"{self.name} hung up") from torn

    def call(self, method, **params):
        """The result.  What the node says to ask for again in a moment is asked for again, and so is a node that
        runs and does not listen yet."""
        def told():
            try:
                reply = self.ask(method, **params)
            except ConnectionRefusedError:
                if not self.alive():
                    raise
                return None
            return None if "error" in reply and reply["error"]["data"]["retry_after_ms"] else reply
        reply = wait(f"an answer to {method}", told, nodes=[self])
        assert "error" not in reply, reply
        return reply["result"]

    def status(self):
        """node_status, or None while it does not answer."""
        try:
            return self.ask("node_status")["result"]
        except (OSError, ValueError):
            return None

    def height(self):
        status = self.status()
        return int(status["executed"]["height"]) if status else -1


def genesis(nodes, age_s=0, **consensus):
    """The text of a genesis in which all nodes validate with equal stake."""
    timing = {"delta_ms": 100, "idle_ms": 200, "interval_min_ms": 0, "epoch_ms": 0, "body_bytes_max": 1048576}
    return json.dumps({
        "format": "novate-genesis-1", "name": "test",
        "salt": "0x" + os.urandom(32).hex(), "devnet": True,
        "time_ms": int((time.time() - age_s) * 1000), "consensus": {**timing, **consensus},
        "validators": [
            {"name": n.name, "key": n.key("validator"), "node_key": n.key("node"), "stake": "100"}
            for n in nodes],
        "fee_account": FEES, "insurance_account": INSURANCE, "faucet_account": FAUCET,
        "accounts": [{"address": INSURANCE, "cash": "1000"}],
        "reporters": [{"address": REPORTER, "stake": "1"}],
        "feeds": [{"symbol": "BTC", "range_initial": "0.08", "range_maintenance": "0.04"}],
        "markets": [{
            "symbol": "BTC-PERP", "feed": "BTC", "tick": "0.1", "lots_per_unit": 1000,
            "expires_ms": 0, "settle_window_ms": 0, "funding_interval_ms": 3600000,
            "order_lots_max": "100000", "open_interest_max": "10000000", "program": "linear"}],
        "params": {}})


class Net:
    """`count` validators with homes, keys, one genesis and one another's addresses."""

    def make(self, folder, number):
        return Node(folder, f"node{number}")

    def __init__(self, folder, count, age_s=0, consensus=None, **settings):
        self.nodes = [self.make(folder, i) for i in range(count)]
        for node in self.nodes:
            node.init()
        self.genesis = genesis(self.nodes, age_s, **(consensus or {}))
        for node in self.nodes:
            (node.home / "genesis.json").write_text(self.genesis)
            node.configure(self.nodes, **settings)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for node in self.nodes:
            if node.alive():
                node.kill()

    def start(self):
        for node in self.nodes:
            node.start()

    def reach(self, height, nodes=None):
        """Waits until the nodes have executed `height`."""
        nodes = self.nodes if nodes is None else nodes
        wait(f"height {height}", lambda: all(n.height() >= height for n in nodes), nodes=nodes)
