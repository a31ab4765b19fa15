"""A Grip-Sig that is sent again is answered from memory, exactly as if it were verified again."""

import time
import urllib.parse

import pytest

from harness import grip
from harness.client import events_path
from harness.held import is_held
from harness.processes import wait_until
from harness.sites import Host, chat_site, vhost

REPEATS = 60    # several for each child
SKEW = 60


def proxy_url(listener, pair):
    return listener.url + "?key=x&verify-key=" + urllib.parse.quote(grip.setting(pair.public))


@pytest.fixture(scope="module")
def apache(module_servers):
    """Two sites with a key each."""
    one, two = module_servers.listener(), module_servers.listener()
    return module_servers.apache(lambda a: "".join([
        vhost(a, "one", chat_site(a.database, proxy_url(one, grip.ec_key(0)))),
        vhost(a, "two", chat_site(a.database.with_name("two.db"),
                                  proxy_url(two, grip.ec_key(1))))]))


def is_held_at(apache, host, token):
    return is_held(Host(apache.client, host).get(events_path("x"), Grip_Sig=token))


def es256(index=0, **claims):
    return grip.token(grip.ec_key(index).private, "ES256", **claims)


def test_a_site_never_takes_what_another_has_verified(apache):
    token, other = es256(), es256(1)
    for _ in range(REPEATS):
        assert is_held_at(apache, "one", token) and is_held_at(apache, "two", other)
        assert not is_held_at(apache, "two", token) and not is_held_at(apache, "one", other)


def test_a_changed_token_is_refused_however_often_the_right_one_came(apache):
    token = es256()
    head, payload, signature = token.split(".")
    spoiled = [f"{head}.{payload}.{'B' if signature[0] == 'A' else 'A'}{signature[1:]}",
               ".".join([head, es256(expires_in=9999).split(".")[1], signature]),
               token[:-1], token + "A", f"{head}.{payload}."]
    for _ in range(REPEATS):
        assert is_held_at(apache, "one", token)
    for wrong in spoiled:
        for _ in range(8):
            assert not is_held_at(apache, "one", wrong), wrong


def test_a_token_that_is_repeated_expires_when_it_is_time(apache):
    end = int(time.time()) + 3
    token = es256(expires_in=None, exp=end - SKEW)
    while time.time() < end - 0.5:
        assert is_held_at(apache, "one", token)
    wait_until(lambda: time.time() >= end, 5, "end of the token")
    for _ in range(REPEATS):
        assert not is_held_at(apache, "one", token)
