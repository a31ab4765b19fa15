"""A wrong directive stops `configtest` with a sentence that names it and says what to write."""

import os
import re
import urllib.parse

import pytest

from harness import grip
from harness.httpd import Apache
from harness.sites import chat_site

PROXY = "http://127.0.0.1:5561/"

# What an operator may get wrong: the directive, its arguments, and what the sentence must tell.
WRONG = [
    ("Database", "", ""),
    ("Database", "sqlite3", ""),
    ("Database", 'nosuchdriver "x.db"', "nosuchdriver"),
    ("Database", 'sqlite3 ""', ""),
    ("Database", 'sqlite3 "/nonexistent/folder/chat.db"', "/nonexistent/folder"),
    ("Database", 'sqlite3 "/usr/share/chat.db"', "/usr/share"),
    ("Database", 'sqlite3 "/tmp"', "/tmp"),
    ("GripURL", "", ""),
    ("GripURL", '""', ""),
    ("GripURL", "nonsense", "http"),
    ("GripURL", "ftp://127.0.0.1/", "http"),
    ("GripURL", "http:///", ""),
    ("GripURL", "http://127.0.0.1:99999/", ""),
    ("GripURL", "http://127.0.0.1:0/", ""),
    ("GripURL", f"{PROXY}?key=base64:!!!", "base64"),
    ("GripURL", f"{PROXY}?key=k&verify-key=base64:AAAA%25", "verify-key"),
    ("GripURL", f'"{PROXY}?key=k&verify-key={grip.setting(b"-----BEGIN PUBLIC KEY-----")}"',
     "verify-key"),
    ("GripURL", "https://api.fastly.com/service/?key=k", "service"),
    ("GripURL", '"${GRIP_CHAT_NOT_SET}"', ""),
    ("GripVerifyKey", '"base64:%%%"', "base64"),
    ("GripVerifyKey", f'"{grip.setting(b"-----BEGIN PUBLIC KEY-----")}"', ""),
    ("SecretKey", '""', ""),
    ("SecretKey", '"${GRIP_CHAT_NOT_SET}"', ""),
    ("SecretKey", '"file:/nonexistent/secret"', "/nonexistent/secret"),
    ("ChannelPrefix", '"a b"', ""),
    ("ChannelPrefix", '"a,b;c"', ""),
    ("History", "0", "1"),
    ("History", "1001", "1000"),
    ("History", "-5", "1"),
    ("History", "many", "1"),
    ("History", "99999999999999999999", "1000"),
    ("Backlog", "ten", ""),
    ("Backlog", "-1", ""),
    ("Backlog", "10000001", "10000000"),
    ("KeepAlive", "0", ""),
    ("KeepAlive", "soon", ""),
    ("KeepAlive", "2d", ""),
    ("MaxText", "0", ""),
    ("MaxText", "131073", "131072"),
    ("MaxName", "0", ""),
    ("MaxName", "257", "256"),
    ("LinkTimeout", "0", ""),
    ("LinkTimeout", "x", ""),
    ("EnvFile", '"/nonexistent/.env"', "/nonexistent/.env"),
    ("Socket", '"/nonexistent/folder/socket"', "/nonexistent/folder"),
    ("Socket", '"/tmp/' + "x" * 120 + '"', ""),
]

RIGHT = [
    ("GripURL", '"http://127.0.0.1:5561/?key=changeme" "http://[::1]:5561/"'),
    ("GripURL", '"https://api.fastly.com/service/abc123?verify-iss=fastly:abc123&key=token'
                '&verify-key=' + urllib.parse.quote(grip.setting(grip.ec_key().public)) + '"'),
    ("GripVerifyKey", f'"{grip.setting(grip.ec_key().public)}"'),
    ("SecretKey", '"a secret that is long enough to be one, 0123456789"'),
    ("ChannelPrefix", "chat-"), ("History", "1"), ("History", "1000"), ("Backlog", "100"),
    ("KeepAlive", "1"), ("KeepAlive", "20s"), ("MaxText", "131072"), ("MaxName", "256"),
    ("LinkTimeout", "120"), ("LinkTimeout", "2min"), ("Site", "tenant-a"),
]


def configtest(site, mpm="event"):
    apache = Apache(site, mpm=mpm)
    try:
        return apache.configtest()
    finally:
        apache.stop()


def site_with(name, arguments):
    """A complete site in which one directive is as given and all others are right."""
    def make(apache):
        database = None if name == "Database" else apache.database
        proxies = [] if name == "GripURL" else [PROXY]
        return chat_site(database, *proxies, **{name: arguments})
    return make


@pytest.mark.parametrize("name, arguments, told", WRONG,
                         ids=[f"{name} {arguments[:40]}" for name, arguments, _ in WRONG])
def test_a_wrong_directive_is_named(name, arguments, told):
    status, output = configtest(site_with(name, arguments))
    assert status != 0, output
    sentence = [line for line in output.splitlines() if f"GripChat{name}" in line]
    assert sentence, output
    assert told in output and "Syntax OK" not in output
    # Httpd's own line tells where; there must be words beyond the name that tell what.
    words = [re.sub(rf".*GripChat{name}", "", line).split() for line in sentence]
    assert max(len(found) for found in words) >= 3, output


@pytest.mark.parametrize("name, arguments", RIGHT, ids=[f"{n} {a[:30]}" for n, a in RIGHT])
def test_a_right_directive_is_taken(name, arguments):
    status, output = configtest(site_with(name, arguments))
    assert status == 0 and "Syntax OK" in output, output
    assert "GripChat" not in output


def test_fastly_without_its_public_key_gets_a_warning():
    status, output = configtest(site_with(
        "GripURL", '"https://api.fastly.com/service/abc123?verify-iss=fastly:abc123&key=token"'))
    assert status == 0 and "write GripChatGripVerifyKey" in output, output


def test_no_key_stands_in_what_configtest_says():
    _, output = configtest(site_with("GripURL", '"ftp://127.0.0.1/?key=s3cret-k3y"'))
    assert "GripChatGripURL" in output and "s3cret-k3y" not in output


@pytest.mark.parametrize("name, arguments", [
    ("Database", 'sqlite3 "/tmp/x.db"'), ("GripURL", PROXY), ("SecretKey", "abc"),
    ("GripVerifyKey", "abc"), ("EnvFile", "/tmp/.env"), ("Socket", "/tmp/socket")])
def test_keys_and_paths_are_for_the_server_configuration_only(name, arguments):
    status, output = configtest(lambda a: chat_site(a.database, PROXY) + (
        f'<Location "/other/">\n    GripChat{name} {arguments}\n</Location>\n'))
    assert status != 0 and f"GripChat{name}" in output and "not allowed " in output


def test_a_secret_may_stand_in_a_file():
    def site(apache):
        secret = apache.directory / "secret"
        secret.write_text("a secret that is long enough to be one, 0123456789\n")
        secret.chmod(0o600)
        return chat_site(apache.database, PROXY, SecretKey=f'"file:{secret}"')
    status, output = configtest(site)
    assert status == 0, output


@pytest.mark.skipif(os.geteuid() != 0, reason="only root starts Apache for another user")
def test_a_database_folder_of_another_user_is_found():
    def site(apache):
        os.chown(apache.database.parent, 0, 0)
        return chat_site(apache.database, PROXY)
    status, output = configtest(site)
    assert status != 0 and "GripChatDatabase" in output and "www-data" in output


@pytest.mark.skipif(os.geteuid() != 0, reason="only root starts Apache for another user")
def test_a_database_of_another_user_is_found():
    def site(apache):
        apache.database.touch(mode=0o644)
        return chat_site(apache.database, PROXY)
    status, output = configtest(site)
    assert status != 0 and "GripChatDatabase" in output and "www-data" in output


def test_the_shared_sample_of_the_tests_is_right():
    status, output = configtest(lambda a: a.page_site("http://127.0.0.1:5561/?key=changeme"))
    assert (status, output) == (0, "Syntax OK\n")
