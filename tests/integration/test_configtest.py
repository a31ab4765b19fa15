"""A wrong directive stops `configtest` with a sentence that names it and says what to write."""

import os
import re
import urllib.parse

import pytest

from harness import grip
from harness.httpd import configtest
from harness.sites import chat_site, vhost

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
    ("Retention", "", ""),
    ("Retention", "30d", "age="),
    ("Retention", "age=30", "age="),
    ("Retention", "age=0d", "age="),
    ("Retention", "age=9s", "10s"),
    ("Retention", "age=-1d", "age="),
    ("Retention", "age=1w", "1w"),
    ("Retention", "age=99999999999999999999d", "age="),
    ("Retention", "age=40000d", "age="),
    ("Retention", "count=0", "count="),
    ("Retention", "count=1e6", "count="),
    ("Retention", "count=5 count=6", "count=6"),
    ("Retention", "All count=5", "All"),
    ("Retention", "age=1d count=5 x", ""),
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
    ("GripURL", f"none {PROXY}", "none"),
    ("GripURL", f"{PROXY} NONE", "none"),
    ("GripURL", '"file:/nonexistent/url"', "/nonexistent/url"),
    ("GripVerifyKey", '"base64:%%%"', "base64"),
    ("GripVerifyKey", f'"{grip.setting(b"-----BEGIN PUBLIC KEY-----")}"', ""),
    ("SecretKey", '""', ""),
    ("SecretKey", '"${GRIP_CHAT_NOT_SET}"', ""),
    ("SecretKey", '"file:/nonexistent/secret"', "/nonexistent/secret"),
    ("ChannelPrefix", '"a b"', ""),
    ("ChannelPrefix", '"a,b;c"', ""),
    ("ChannelPrefix", "${GRIP_CHAT_NOT_SET}", "not defined"),
    ("CacheSize", "", ""),
    ("CacheSize", "-1", "Off"),
    ("CacheSize", "1023", "64K"),
    ("CacheSize", "63K", "64K"),
    ("CacheSize", "65G", "64G"),
    ("CacheSize", "99999999999999999999", "64G"),
    ("CacheSize", "M", "32M"),
    ("CacheSize", "32KM", "32M"),
    ("CacheSize", "3.5M", "32M"),
    ("CacheSize", "32MB", "32M"),
    ("CacheSize", "none", "Off"),
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
    ("ItemSize", "1023", "1024"),
    ("ItemSize", "491521", "491520"),
    ("ItemSize", "64k", "65536"),
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
    ("ItemSize", "1024"), ("ItemSize", "491520"),
    ("CacheSize", "Off"), ("CacheSize", "0"), ("CacheSize", "64k"), ("CacheSize", "1g"),
    ("CacheSize", "100000000"),
    ("LinkTimeout", "120"), ("LinkTimeout", "2min"), ("Site", "tenant-a"),
]


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


# -- several virtual hosts, and the .env file ------------------------------------------------------

def two_hosts(one, other, more=""):
    """Each host is (database, GRIP_URL, directives); a database of a function gets the folder."""
    def make(apache):
        return more + "".join(
            vhost(apache, name, chat_site(database(apache.database.parent), url, **directives))
            for name, (database, url, directives) in (("one", one), ("other", other)))
    return make


def linked_folder(folder):
    link = folder.with_name("link")
    link.symlink_to(folder)
    return link / "chat.db"


def linked_file(folder):
    (folder / "chat.db").touch()
    os.chown(folder / "chat.db", folder.stat().st_uid, folder.stat().st_gid)
    (folder / "other.db").symlink_to("chat.db")
    return folder / "other.db"


SAME_DATABASE = [lambda folder: f"{folder}//chat.db", lambda folder: f"{folder}/./chat.db",
                 lambda folder: f"{folder}/../db/chat.db", lambda folder: "db/chat.db",
                 linked_folder, linked_file]


@pytest.mark.parametrize("again", SAME_DATABASE, ids=["//", "/./", "/../", "relative", "folder",
                                                      "file"])
def test_hosts_that_write_one_database_in_two_ways_are_one_site(again):
    def plain(folder):
        return folder / "chat.db"
    status, output = configtest(two_hosts((plain, PROXY, {"History": 10}),
                                          (again, PROXY, {"History": 20})))
    assert status > 0 and "GripChatHistory" in output, output
    status, output = configtest(two_hosts((plain, PROXY, {"History": 10}),
                                          (again, PROXY, {"History": 10})))
    assert (status, output) == (0, "Syntax OK\n")


@pytest.mark.parametrize("one, other", [
    ("http://127.0.0.1:5561/", "http://localhost:5561/"),
    ("http://localhost:5561/?key=a", "http://[::1]:5561?key=b"),
    ("http://proxy.example/", "http://PROXY.example:80"),
    ("https://proxy.example/p", "https://proxy.example:443/p/")])
def test_sites_that_write_one_proxy_in_two_ways_need_prefixes(one, other):
    def config(**directives):
        return configtest(two_hosts((lambda folder: folder / "one.db", one, {}),
                                    (lambda folder: folder / "other.db", other, directives)))
    status, output = config()
    assert status > 0 and "GripChatChannelPrefix" in output, output
    assert config(ChannelPrefix="other-") == (0, "Syntax OK\n")


@pytest.mark.parametrize("one, other", [
    ("http://127.0.0.1:5561/", "http://127.0.0.1:5562/"),
    ("http://proxy.example/a", "http://proxy.example/b"),
    ("http://proxy.example/", "https://proxy.example/"),
    ("http://proxy.example/", "http://proxy2.example/")])
def test_sites_with_two_proxies_need_no_prefix(one, other):
    assert configtest(two_hosts((lambda folder: folder / "one.db", one, {}),
                                (lambda folder: folder / "other.db", other, {}))) == \
        (0, "Syntax OK\n")


def env_file(apache, text):
    path = apache.directory / "env"
    path.write_text(text)
    return f'GripChatEnvFile "{path}"\n'


@pytest.mark.parametrize("url", ["sqlite:///{x}", "sqlite:////{x}", "sqlite:///{folder}/{x}",
                                 "sqlite:///{folder}/{name}", "sqlite:///{folder}/{deep}"])
def test_a_database_url_too_long_for_a_path_is_refused(url):
    """Also where only the files beside the database, such as its keeper-lock, have no name."""
    def site(apache):
        value = url.format(x="x" * 5000, name="x" * 250, deep="d/" * 2500 + "x",
                           folder=apache.database.parent)
        return env_file(apache, f"DATABASE_URL={value}\n") + chat_site(None, PROXY)
    status, output = configtest(site)
    assert status > 0, (status, output[-300:])
    assert re.search(r"DATABASE_URL|GripChatDatabase", output) and "Syntax OK" not in output


def test_an_env_file_of_the_main_server_may_be_for_some_hosts_only():
    def site(apache):
        return (env_file(apache, f"GRIP_URL={PROXY}\n") +
                vhost(apache, "one", chat_site(apache.database)) +
                vhost(apache, "other", "# no chat here\n"))
    assert configtest(site) == (0, "Syntax OK\n")


def test_an_env_file_that_leads_to_no_site_is_refused():
    status, output = configtest(lambda a: env_file(a, f"GRIP_URL={PROXY}\n") + chat_site(None))
    assert status > 0 and "GripChatEnvFile" in output and "GripChatDatabase" in output, output


def test_more_databases_than_there_are_numbers_for_are_refused():
    """1,025; that 1,024 have one is a test of keeper_shared."""
    status, output = configtest(lambda a: "".join(
        vhost(a, f"h{n}", chat_site(a.database.with_name(f"{n}.db"), "none")) for n in range(1025)))
    assert status != 0 and "more than 1024 databases" in output and "GripChatSite" in output, output[-2000:]
