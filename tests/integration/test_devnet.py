"""A devnet through what happens to networks: trading, a fall, kills, a halt, catch-up.

Goal: four real validators, a feed, bots and a keeper on loopback do what docs/ARCHITECTURE.md
says, seen through the command line alone.

Method: `novate devnet up --detach` in a temporary folder on free ports; every wait is for a
height or a state, bounded generously, never for a time. `down` must leave no process behind.
"""

import json
import pathlib
import signal
import socket
import subprocess
import time

import pytest

from devnet import NOVATE, PATIENCE_S, Devnet, processes_in


@pytest.fixture(scope="module")
def net(tmp_path_factory):
    devnet = Devnet(str(tmp_path_factory.mktemp("net") / "d"))
    devnet.up()
    yield devnet
    devnet.command("down", check=False)
    assert processes_in(devnet.dir) == []


def test_status_tells_what_scripts_need(net):
    rows = net.status()
    assert [row["node"] for row in rows] == [0, 1, 2, 3]
    for row in rows:
        assert row["up"] is True
        assert isinstance(row["finalized_height"], str) and isinstance(row["executed_height"], str)
        assert row["state_root"].startswith("0x") and len(row["state_root"]) == 66
        assert row["peers"] == 3
        assert row["rpc"] == net.url(row["node"])


def test_it_trades(net):
    def traded():
        return len(net.rpc("market_trades", market="BTC-PERP")["trades"]) > 0
    net.wait(traded, "a trade of the bots")
    book = net.rpc("market_book", market="BTC-PERP")
    assert book["bids"] and book["asks"]
    assert float(book["bids"][0][0]) < float(book["asks"][0][0])


def test_a_fall_liquidates(net):
    def heavy():
        positions = net.rpc("account_positions", address=bot_address(net, "bot4"))["positions"]
        return any(float(p["size"]) > 0.5 for p in positions)
    net.wait(heavy, "bot4's large position")
    before = net.rpc("market_get", market="BTC-PERP")
    net.command("price", "BTC=-12%")

    def fell():
        return float(net.rpc("market_get", market="BTC-PERP")["index"]) < 0.93 * float(before["index"])
    net.wait(fell, "the index to fall")

    def closed():
        row = net.rpc("account_get", address=bot_address(net, "bot4"))
        positions = net.rpc("account_positions", address=bot_address(net, "bot4"))["positions"]
        return row["stage"] != "safe" or all(float(p["size"]) < 1.5 for p in positions)
    net.wait(closed, "bot4 to be liquidated")


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
    time.sleep(0)  # the kills have returned: both are dead
    settled = net.wait(lambda: stuck_height(net), "the two others to stop")
    net.command("revive", "1")
    net.command("revive", "3")
    net.wait_height(settled + 5)
    assert net.one_chain()


def stuck_height(net):
    """The height of the survivors, once it has not moved over ten looks."""
    first = [net.heights()[i] for i in (0, 2)]
    for _ in range(10):
        time.sleep(0.3)
        if [net.heights()[i] for i in (0, 2)] != first:
            return 0
    return max(first)


def test_the_audit_holds(net):
    report = json.loads(net.run("audit", "--node", net.url(0), "--json").stdout)
    assert report["ok"] is True and report["root_ok"] is True
    assert all(int(m["lots_sum"]) == 0 and int(m["cost_plus_realised_micro"]) == 0
               for m in report["markets"])


def test_the_faucet_pays(net):
    address = bot_address(net, "bob")
    before = float(net.rpc("account_get", address=address)["cash"])
    net.command("faucet", address, "123.5")
    assert float(net.rpc("account_get", address=address)["cash"]) == pytest.approx(before + 123.5)


def test_ctrl_c_leaves_nothing_behind(tmp_path):
    devnet = Devnet(str(tmp_path / "d"))
    words = ["devnet", "up", "--dir", devnet.dir, "--base-port", str(devnet.port)]
    with subprocess.Popen([NOVATE, *words], stdout=subprocess.PIPE, text=True) as up:
        for line in up.stdout:
            if "Ctrl-C" in line:
                break
        up.send_signal(signal.SIGINT)
        assert up.wait(timeout=PATIENCE_S) == 0
    assert processes_in(devnet.dir) == []


def test_taken_ports_are_told_before_anything_is_made(tmp_path):
    devnet = Devnet(str(tmp_path / "d"))
    with socket.socket() as other:
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
    with subprocess.Popen([NOVATE, *words], stdout=subprocess.PIPE, text=True) as up:
        for line in up.stdout:
            if "Ctrl-C" in line:
                break
        again = devnet.up(check=False)
        assert again.returncode == 1 and "runs already" in again.stderr
        assert all(row["up"] for row in devnet.status())
        devnet.command("down")
        assert up.wait(timeout=PATIENCE_S) == 0
    assert processes_in(devnet.dir) == []


def test_a_path_too_long_for_a_socket_is_told(tmp_path):
    devnet = Devnet(str(tmp_path / ("d" * 100)))
    done = devnet.up(check=False)
    assert done.returncode == 1 and "is too long" in done.stderr
    assert not pathlib.Path(devnet.dir).exists()
