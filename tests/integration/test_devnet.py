"""A devnet through what happens to networks: trading, a fall, kills, a halt, catch-up.

Goal: four real validators, a feed, bots and a keeper on loopback do what docs/ARCHITECTURE.md
says, seen through the command line alone.

Method: `novate devnet up --detach` in a temporary folder on ports of its own; every wait is for a
height or a state, bounded generously, never for a time. `down` must leave no process behind.
"""

import contextlib
import json
import pathlib
import signal
import socket
import subprocess

import pytest

from devnet import NOVATE, Devnet, processes_in
from patience import end_of


HEAVY = 7  # times its equity: whoever holds so much does not outlast a fall of 12 %


@pytest.fixture(scope="module")
def net(tmp_path_factory):
    devnet = Devnet(str(tmp_path_factory.mktemp("net") / "d"))
    devnet.up()
    yield devnet
    devnet.command("down", check=False)
    assert processes_in(devnet.dir) == []


def test_status_tells_what_scripts_need(net):
    def linked():
        rows = net.all_up()
        return rows if all(row["peers"] == 3 for row in rows) else None
    rows = net.wait(linked, "all to be linked with all")
    assert [row["node"] for row in rows] == [0, 1, 2, 3]
    for row in rows:
        assert isinstance(row["finalized_height"], str) and isinstance(row["executed_height"], str)
        assert row["state_root"].startswith("0x") and len(row["state_root"]) == 66
        assert row["rpc"] == net.url(row["node"])


def test_it_trades(net):
    def traded():
        return len(net.rpc("market_trades", market="BTC-PERP")["trades"]) > 0
    net.wait(traded, "a trade of the bots")

    def quoted():
        book = net.rpc("market_book", market="BTC-PERP")
        return book if book["bids"] and book["asks"] else None
    book = net.wait(quoted, "quotes on both sides")
    assert float(book["bids"][0][0]) < float(book["asks"][0][0])


def test_a_fall_liquidates(net):
    """bot4 only ever buys, as much as its margin allows: whatever it sells is sold for it."""
    address = bot_address(net, "bot4")

    def heavy():
        positions = net.rpc("account_positions", address=address)["positions"]
        held = sum(float(p["size"]) * float(p["mark"]) for p in positions if p["market"] == "BTC-PERP")
        return held > HEAVY * float(net.rpc("account_get", address=address)["equity"])
    net.wait(heavy, "bot4's large position")
    before = net.rpc("market_get", market="BTC-PERP")
    sold = last_sale(net, address)
    net.command("price", "BTC=-12%")

    def fell():
        return float(net.rpc("market_get", market="BTC-PERP")["index"]) < 0.93 * float(before["index"])
    net.wait(fell, "the index to fall")
    net.wait(lambda: last_sale(net, address) != sold, "bot4 to be liquidated")


def last_sale(net, address):
    """The seq of what an account sold last, or None."""
    fills = net.rpc("account_fills", address=address, limit=500)["fills"]
    return next((fill["seq"] for fill in fills if fill["side"] == "sell"), None)


def bot_address(net, name):
    text = net.run("keys", "show", name).stdout
    for word in text.replace('"', " ").replace(",", " ").split():
        if word.startswith("0x") and len(word) == 42:
            return word
    raise AssertionError(text)


def test_three_of_four_go_on_and_the_fourth_catches_up(net):
    net.command("kill", "2")
    assert net.status()[2]["up"] is False
    height = max(h for h in net.heights() if h is not None)
    net.wait_height(height + 10, nodes=(0, 1, 3))
    net.command("revive", "2")
    net.wait_height(height + 10)
    assert net.one_chain()


def test_two_dead_halt_without_harm(net):
    net.command("kill", "1")
    net.command("kill", "3")
    settled = net.stands_still((0, 2))
    net.command("revive", "1")
    net.command("revive", "3")
    net.wait_height(settled + 5)
    assert net.one_chain()


def test_the_audit_holds(net):
    report = json.loads(net.run("audit", "--node", net.url(0), "--json").stdout)
    assert report["ok"] is True and report["root_ok"] is True
    assert all(int(m["lots_sum"]) == 0 and int(m["cost_plus_realised_micro"]) == 0
               for m in report["markets"])


def test_the_faucet_pays(net):
    address = bot_address(net, "bob")
    before = float(net.rpc("account_get", address=address)["cash"])
    net.command("faucet", address, "123.5")

    def paid():
        cash = float(net.rpc("account_get", address=address)["cash"])
        return cash if cash != before else None
    assert net.wait(paid, "another balance") == pytest.approx(before + 123.5)


@contextlib.contextmanager
def in_the_foreground(words):
    """A devnet that says how it is stopped; it has its own bound for that."""
    with subprocess.Popen([NOVATE, *words], stdout=subprocess.PIPE, text=True) as up:
        try:
            assert any("Ctrl-C" in line for line in up.stdout)
            yield up
        finally:
            up.terminate()


def test_ctrl_c_leaves_nothing_behind(tmp_path):
    devnet = Devnet(str(tmp_path / "d"))
    words = ["devnet", "up", "--dir", devnet.dir, "--base-port", str(devnet.port)]
    with in_the_foreground(words) as up:
        up.send_signal(signal.SIGINT)
        assert end_of(up) == 0
    assert processes_in(devnet.dir) == []


def test_taken_ports_are_told_before_anything_is_made(tmp_path):
    devnet = Devnet(str(tmp_path / "d"))
    with socket.socket() as other:
        other.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        other.bind(("127.0.0.1", devnet.port + 11))
        other.listen()
        done = devnet.up(check=False)
    assert done.returncode == 1
    assert f"port {devnet.port + 11} of 127.0.0.1 is taken" in done.stderr
    assert "next: novate devnet up --base-port" in done.stderr
    assert not pathlib.Path(devnet.dir).exists()


def test_a_second_up_harms_nothing_and_down_ends_the_first(tmp_path):
    devnet = Devnet(str(tmp_path / "d"))
    words = ["devnet", "up", "--dir", devnet.dir, "--base-port", str(devnet.port), "--no-bots"]
    with in_the_foreground(words) as up:
        again = devnet.up(check=False)
        assert again.returncode == 1 and "runs already" in again.stderr
        devnet.all_up()
        devnet.command("down")
        assert end_of(up) == 0
    assert processes_in(devnet.dir) == []


def test_a_path_too_long_for_a_socket_is_told(tmp_path):
    devnet = Devnet(str(tmp_path / ("d" * 100)))
    done = devnet.up(check=False)
    assert done.returncode == 1 and "is too long" in done.stderr
    assert not pathlib.Path(devnet.dir).exists()
