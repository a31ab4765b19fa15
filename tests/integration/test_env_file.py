"""Where settings come from: directive, then process environment, then .env file, then default."""

import pytest

from harness import grip
from harness.client import events_path
from harness.httpd import Apache
from harness.sites import Host, chat_site, vhost

OTHER_SECRET = "another secret that is long enough, 9876543210"
SECRET = "a secret that is long enough to be one, 0123456789"


def site_with_env(text, *grip_urls, database=True, **directives):
    def make(apache):
        env = apache.directory / "env"
        env.write_text(text.replace("@DB@", str(apache.database)))
        return chat_site(apache.database if database else None, *grip_urls, EnvFile=f'"{env}"',
                         **directives)
    return make


def held(client, token):
    return client.get(events_path("x"), Grip_Sig=token).header("Grip-Hold") == "stream"


def link(client, key="changeme"):
    answer = client.get(events_path("x"), Grip_Sig=grip.token(key))
    return grip.parse_link(answer.header("Grip-Link"))[0]


def takes_link(client, uri, key="changeme"):
    answer = client.get(uri, Grip_Sig=grip.token(key), Grip_Last="events-room-x; last-id=0")
    return answer.status == 200 and answer.header("Grip-Hold") == "stream"


@pytest.mark.parametrize("line", [
    "GRIP_URL={}", 'GRIP_URL="{}"', "GRIP_URL='{}'", "export GRIP_URL={}", "GRIP_URL = {}",
    "# a comment\n\nOTHER=1\r\nGRIP_URL={}\r\n", "GRIP_URL={} # of the proxy"])
def test_grip_url_is_read_from_the_env_file(servers, line):
    listener = servers.listener()
    client = servers.apache(site_with_env(line.format(listener.url + "?key=from-env"))).client
    client.say("x", "y")
    assert listener.wait_for_publishes(1)[0].headers["Authorization"] == "Bearer from-env"
    assert held(client, grip.token("from-env"))


def test_the_process_environment_wins_over_the_env_file(servers):
    file, process = servers.listener(), servers.listener()
    apache = servers.apache(site_with_env(f"GRIP_URL={file.url}"),
                            environment={"GRIP_URL": process.url})
    apache.client.say("x", "y")
    process.wait_for_publishes(1)
    assert not file.publishes


def test_the_process_environment_counts_without_an_env_file(servers):
    process = servers.listener()
    apache = servers.apache(lambda a: chat_site(a.database), environment={"GRIP_URL": process.url})
    apache.client.say("x", "y")
    process.wait_for_publishes(1)


def test_a_directive_wins_over_everything(servers):
    file, process, directive = (servers.listener() for _ in range(3))
    apache = servers.apache(site_with_env(f"GRIP_URL={file.url}", directive.url),
                            environment={"GRIP_URL": process.url})
    apache.client.say("x", "y")
    directive.wait_for_publishes(1)
    assert not file.publishes and not process.publishes


def test_grip_verify_key_is_read_from_the_env_file(servers):
    pair = grip.ec_key()
    listener = servers.listener()
    apache = servers.apache(site_with_env(
        f'GRIP_URL="{listener.url}?verify-iss=fastly:abc&key=token"\n'
        f'GRIP_VERIFY_KEY="{grip.setting(pair.public)}"\n'))
    assert held(apache.client, grip.token(pair.private, "ES256", iss="fastly:abc"))
    assert not held(apache.client, grip.token("token", iss="fastly:abc"))


def test_database_url_of_the_original_is_taken(servers):
    listener = servers.listener()
    apache = servers.apache(site_with_env("DATABASE_URL=sqlite:///@DB@\n", listener.url,
                                          database=False))
    apache.client.say("x", "y")
    assert apache.database.exists()


def test_a_database_directive_wins_over_database_url(servers):
    listener = servers.listener()
    apache = servers.apache(
        site_with_env("DATABASE_URL=sqlite:////nonexistent/x.db\n", listener.url))
    apache.client.say("x", "y")
    assert apache.database.exists()


def reconfigured(apache, make):
    """The client of the same site, whose database the links name, with other settings."""
    apache.configure(make(apache))
    apache.restart()
    return apache.client


@pytest.mark.parametrize("name", ["GRIP_CHAT_SECRET_KEY", "DJANGO_SECRET_KEY"])
def test_the_secret_is_read_from_the_env_file(servers, name):
    proxy = servers.listener().url + "?key=changeme"
    apache = servers.apache(site_with_env(f'{name}="{SECRET}"\n', proxy))
    uri = link(apache.client)
    assert takes_link(apache.client, uri)
    assert not takes_link(reconfigured(apache, site_with_env(f'{name}="{OTHER_SECRET}"\n', proxy)), uri)
    assert takes_link(reconfigured(apache, site_with_env(f'{name}="{SECRET}"\n', proxy)), uri)


def test_our_name_of_the_secret_wins_over_the_originals(servers):
    proxy = servers.listener().url + "?key=changeme"
    apache = servers.apache(site_with_env(
        f'DJANGO_SECRET_KEY="{OTHER_SECRET}"\nGRIP_CHAT_SECRET_KEY="{SECRET}"\n', proxy))
    uri = link(apache.client)
    ours = reconfigured(apache, lambda a: chat_site(a.database, proxy, SecretKey=f'"{SECRET}"'))
    assert takes_link(ours, uri)


def test_a_secret_directive_wins_over_the_env_file(servers):
    proxy = servers.listener().url + "?key=changeme"
    apache = servers.apache(site_with_env(
        f'GRIP_CHAT_SECRET_KEY="{OTHER_SECRET}"\n', proxy, SecretKey=f'"{SECRET}"'))
    uri = link(apache.client)
    same = reconfigured(apache, lambda a: chat_site(a.database, proxy, SecretKey=f'"{SECRET}"'))
    assert takes_link(same, uri)


def test_a_secret_that_the_site_made_itself_survives_a_restart(servers):
    apache = servers.apache(
        lambda a: chat_site(a.database, servers.listener().url + "?key=changeme"))
    uri = link(apache.client)
    apache.restart()
    assert takes_link(apache.client, uri)


def test_the_originals_placeholder_secret_gets_a_warning(servers):
    apache = servers.apache(site_with_env('DJANGO_SECRET_KEY="<your django secret key>"\n',
                                          servers.listener().url))
    apache.error_log.allow(r"\[grip_chat:warn\].*SECRET_KEY")
    apache.error_log.wait_for(r"\[grip_chat:warn\].*SECRET_KEY")


def test_no_proxy_at_all_may_be_said_in_the_env_file(servers):
    apache = servers.apache(site_with_env("GRIP_URL=none\n"))
    apache.client.say("x", "to nobody")
    answer = apache.client.get("/rooms/x/events/", Grip_Sig="whatever")
    assert answer.status == 200 and answer.header("Grip-Hold") is None


def test_a_csp_in_the_env_file_gets_an_informative_line(servers):
    apache = servers.apache(site_with_env("CSP=default-src 'none'\n", servers.listener().url))
    apache.error_log.wait_for(r"\[grip_chat:(info|notice)\].*CSP")


def test_no_value_of_the_env_file_reaches_the_log(servers):
    apache = servers.apache(site_with_env(
        f'GRIP_CHAT_SECRET_KEY="{SECRET}"\nGRIP_URL="{servers.listener().url}?key=s3cret-k3y"\n'),
        log_level="trace8")
    apache.client.say("x", "y")
    assert SECRET not in apache.error_log.text() and "s3cret-k3y" not in apache.error_log.text()


@pytest.mark.parametrize("text", ["GRIP_URL=nonsense\n", "GRIP_VERIFY_KEY=base64:%%%\n",
                                  'GRIP_URL="unfinished\n'])
def test_a_wrong_env_file_stops_configtest(text):

    apache = Apache(site_with_env(text))
    try:
        status, output = apache.configtest()
    finally:
        apache.stop()
    assert status != 0 and text.partition("=")[0] in output


def test_a_quote_that_is_not_closed_is_told_with_its_line():
    apache = Apache(site_with_env("# a comment\nOTHER='two\nlines'\nGRIP_URL='unfinished\nX=1\n"))
    try:
        status, output = apache.configtest()
    finally:
        apache.stop()
    assert status > 0 and "GRIP_URL" in output and "line 4 " in output, output


# -- what wins over what, value by value -----------------------------------------------------------

def test_a_grip_url_may_stand_in_a_file(servers):
    listener = servers.listener()

    def site(apache):
        url = apache.directory / "url"
        url.write_text(listener.url + "?key=from-file\n")
        url.chmod(0o600)
        return chat_site(apache.database, f"file:{url}")
    client = servers.apache(site).client
    client.say("x", "y")
    assert listener.wait_for_publishes(1)[0].headers["Authorization"] == "Bearer from-file"
    assert held(client, grip.token("from-file"))


@pytest.mark.parametrize("is_file", [False, True], ids=["environment", "file"])
def test_a_verify_key_of_a_directives_url_wins_over_the_environment(servers, is_file):
    """And the environment's counts for a URL of a directive that has none."""
    urls = [servers.listener().url + "?key=token&verify-key=of-the-url",
            servers.listener().url + "?key=token"]
    variables = {"GRIP_VERIFY_KEY": "of-the-environment"}
    for url, good, bad in ((urls[0], "of-the-url", "of-the-environment"),
                           (urls[1], "of-the-environment", "token")):
        text = "GRIP_VERIFY_KEY=of-the-environment\n" if is_file else "\n"
        client = servers.apache(site_with_env(text, url),
                                environment={} if is_file else variables).client
        assert held(client, grip.token(good)) and not held(client, grip.token(bad))


def test_a_verify_key_directive_wins_over_the_one_of_a_url(servers):
    client = servers.apache(lambda a: chat_site(
        a.database, servers.listener().url + "?key=token&verify-key=of-the-url",
        GripVerifyKey="of-the-directive")).client
    assert held(client, grip.token("of-the-directive"))
    assert not held(client, grip.token("of-the-url"))


# -- how python-dotenv, which the original reads it with, takes a line -----------------------------

PEM = grip.ec_key().public.decode()
KEY = "GRIP_VERIFY_KEY"

LINES = [
    (f"{KEY}=plain", "plain"), (f"{KEY} = plain  ", "plain"), (f"export {KEY}=plain", "plain"),
    (f"  {KEY}=indented", "indented"), (f"{KEY}=plain\r\nX=1\r\n", "plain"),
    (f"{KEY}=plain # a comment", "plain"), (f"{KEY}=has#no comment", "has#no comment"),
    (f'{KEY}="quoted # not a comment" # one', "quoted # not a comment"),
    (f"{KEY}=it's", "it's"), (f'{KEY}=a"b"', 'a"b"'), (rf"{KEY}=a\nb", r"a\nb"),
    (rf'{KEY}="a\nb\tc"', "a\nb\tc"), (rf'{KEY}="a\"b\\c"', 'a"b\\c'),
    (rf'{KEY}="a\\nb"', r"a\nb"), (rf'{KEY}="a$b"', "a$b"),
    (rf"{KEY}='it\'s a\\b'", r"it's a\b"), (rf"{KEY}='a\nb\t'", r"a\nb\t"),
    (f"{KEY}='single \"in\" it'", 'single "in" it'),
    (f'{KEY}="across\nlines"', "across\nlines"), (f"{KEY}='across\nlines'\nX=1", "across\nlines"),
    (f"a line without\nit's nothing\n{KEY}=after", "after"),
    (f"# {KEY}=no\n# it's = \"no\n{KEY}=after", "after"),
    (f"{KEY.lower()}=no\n{KEY}=right", "right"), (f"{KEY}=right\n{KEY.lower()}=no", "right"),
    (f"{KEY}=first\n{KEY}=last", "last"), (f"EMPTY=\n{KEY}=after", "after"),
    (f'X="a\n{KEY}=inside\n"\n{KEY}=outside', "outside"),
    ("{}=\"{}\"".format(KEY, PEM.strip().replace("\n", "\\n")), None),
    (f'{KEY}="{PEM}"', None), (f"{KEY}='{PEM}'", None)]


@pytest.fixture(scope="module")
def many(module_servers):
    """One host for each line, whose .env file it stands in."""
    proxy = module_servers.listener().url + "?key=token"

    def site(apache):
        hosts = ""
        for number, (text, _) in enumerate(LINES):
            env = apache.directory / f"env{number}"
            env.write_text(text)
            hosts += vhost(apache, f"host{number}", chat_site(
                apache.database.with_name(f"{number}.db"), proxy, EnvFile=f'"{env}"',
                ChannelPrefix=f"host{number}-"))
        return hosts
    return module_servers.apache(site)


@pytest.mark.parametrize("number", range(len(LINES)), ids=[repr(text)[:60] for text, _ in LINES])
def test_a_line_is_read_as_python_dotenv_reads_it(many, number):
    host = Host(many.client, f"host{number}")
    value = LINES[number][1]
    good = grip.token(value) if value else grip.token(grip.ec_key().private, "ES256")
    assert held(host, good)
    assert not held(host, grip.token("token")), "the line was passed over"
