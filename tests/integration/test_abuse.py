"""Floods by a validator and storms by strangers: the honest go on within their memory.

Goal: no message, however often it comes, and no connection that never speaks stops the others or makes
them grow above their stated bound.

Method: abuse.py.  Whether blocks come as fast as before is a figure (`make abuse`), not a test.
"""

import pytest

from abuse import BOUND_MIB, FLOODS, STRANGERS, abuse, quiet_net, rss_mib


@pytest.fixture(scope="module", name="net")
def _net(tmp_path_factory):
    with quiet_net(tmp_path_factory.mktemp("abuse")) as net:
        yield net


@pytest.mark.parametrize("kind", FLOODS + STRANGERS)
def test_the_honest_go_on(net, kind):
    honest = net.nodes[:3]
    with abuse(net, kind) as one:
        net.reach(max(n.height() for n in honest) + 15, honest)
        assert max(rss_mib(n) for n in honest) < BOUND_MIB
    assert one.told["sent"] > 0
    assert all(n.alive() for n in honest)


def test_the_flooder_is_welcome_again_when_it_is_honest(net):
    net.nodes[3].start()
    net.reach(max(n.height() for n in net.nodes) + 5)
