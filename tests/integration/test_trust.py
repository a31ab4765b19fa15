"""Keys and secrets that everybody knows, or that are missing: one warning each, with what to write."""

import pytest

from harness import grip
from harness.httpd import configtest
from harness.sites import chat_site, vhost

PROXY = "http://127.0.0.1:5561/"
LONG = "0123456789abcdef0123456789abcdef"
ORIGINAL = "Super secret key: Generate a random string for production!"


def warnings(output, number):
    return [line for line in output.splitlines() if f"[grip_chat:warn]" in line and number in line]


def env_site(apache, text):
    path = apache.directory / "env"
    path.write_text(text)
    return chat_site(apache.database, EnvFile=f'"{path}"')


@pytest.mark.parametrize("site", [
    lambda a: chat_site(a.database), lambda a: chat_site(a.database, PROXY),
    lambda a: chat_site(a.database, PROXY, PROXY.replace("5561", "5571")),
    lambda a: env_site(a, f"GRIP_URL={PROXY}")], ids=["default", "directive", "two", "env"])
def test_a_proxy_without_a_key_is_told_once(site):
    status, output = configtest(site, keys=True)
    assert status == 0 and output.endswith("Syntax OK\n"), output
    line, = warnings(output, "GC0180")
    assert "write GripChatGripURL none" in line and "?key=" in line and PROXY.rstrip("/") in line
    assert not warnings(output, "GC0181")


@pytest.mark.parametrize("site", [
    lambda a: chat_site(a.database, f"{PROXY}?key=changeme"),
    lambda a: chat_site(a.database, f"{PROXY}?key=base64:Y2hhbmdlbWU="),
    lambda a: chat_site(a.database, f"{PROXY}?key={LONG}", GripVerifyKey="changeme"),
    lambda a: chat_site(a.database, f"{PROXY}?verify-key=changeme&key={LONG}"),
    lambda a: chat_site(a.database, f"{PROXY}?key=viceroy_dev_signing_key_dont_use_in_production"),
    lambda a: chat_site(a.database, f"{PROXY}?key={LONG}",
                        PROXY.replace("5561", "5571") + "?key=changeme"),
    lambda a: env_site(a, f"GRIP_URL={PROXY}?key=changeme")])
def test_a_key_that_proxies_are_delivered_with_is_told_once(site):
    status, output = configtest(site, keys=True)
    assert status == 0 and output.endswith("Syntax OK\n"), output
    line, = warnings(output, "GC0181")
    assert "write a random one" in line and "sig_key" in line
    assert "changeme" not in output and "viceroy_dev" not in output and not warnings(output, "GC0180")


@pytest.mark.parametrize("urls, directives", [
    (["none"], {}), ([f"{PROXY}?key={LONG}"], {}), ([PROXY], {"GripVerifyKey": LONG}),
    ([f"{PROXY}?key={LONG}", PROXY.replace("5561", "5571")], {}),
    ([f"{PROXY}?iss=pushpin&key={LONG}"], {}), ([f"{PROXY}?key=changeme&verify-key={LONG}"], {}),
    ([PROXY], {"GripVerifyKey": f'"{grip.setting(grip.ec_key().public)}"'})])
def test_keys_that_nobody_knows_are_not_told_of(urls, directives):
    assert configtest(lambda a: chat_site(a.database, *urls, **directives), keys=True) == (0, "Syntax OK\n")


def test_hosts_of_one_site_are_told_of_together():
    status, output = configtest(lambda a: vhost(a, "one", chat_site(a.database, PROXY)) + vhost(
        a, "other", chat_site(a.database, PROXY)), keys=True)
    assert status == 0 and len(warnings(output, "GC0180")) == 1, output


def test_the_log_has_the_warning_once_at_each_start(servers):
    apache = servers.apache(lambda a: chat_site(a.database, servers.listener().url))
    assert apache.error_log.count("GC0180") == 1
    apache.graceful()
    assert apache.error_log.count("GC0180") == 2


@pytest.mark.parametrize("secret, is_told", [
    (ORIGINAL, True), ("django-insecure-0123456789abcdef", True), ("short", True), (LONG, False),
    ("<write 32 random bytes here>", True)])
@pytest.mark.parametrize("name", ["DJANGO_SECRET_KEY", "GRIP_CHAT_SECRET_KEY"])
def test_a_placeholder_of_a_secret_is_told(secret, is_told, name):
    status, output = configtest(lambda a: env_site(a, f'{name}="{secret}"\nGRIP_URL=none\n'))
    assert status == 0 and output.endswith("Syntax OK\n"), output
    assert [name in line for line in warnings(output, "GC0102")] == [True] * is_told
    assert secret not in output
