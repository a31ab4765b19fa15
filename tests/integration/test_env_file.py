"""Where settings come from: directive, then process environment, then .env file, then default."""

import pytest

from harness import grip
from harness.client import events_path
from harness.httpd import Apache
from harness.sites import chat_site

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
    return client.get(uri, Grip_Sig=grip.token(key),
                      Grip_Last="events-room-x; last-id=0").status == 200


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


@pytest.mark.parametrize("name", ["GRIP_CHAT_SECRET_KEY", "DJANGO_SECRET_KEY"])
def test_the_secret_is_read_from_the_env_file(servers, name):
    proxy = servers.listener().url + "?key=changeme"
    one, two, other = (
        servers.apache(site_with_env(f'{name}="{secret}"\n', proxy)).client
        for secret in (SECRET, SECRET, OTHER_SECRET))
    assert takes_link(one, link(one)) and takes_link(two, link(one))
    assert not takes_link(other, link(one))


def test_our_name_of_the_secret_wins_over_the_originals(servers):
    proxy = servers.listener().url + "?key=changeme"
    both = servers.apache(site_with_env(
        f'DJANGO_SECRET_KEY="{OTHER_SECRET}"\nGRIP_CHAT_SECRET_KEY="{SECRET}"\n', proxy)).client
    ours = servers.apache(lambda a: chat_site(a.database, proxy, SecretKey=f'"{SECRET}"')).client
    assert takes_link(ours, link(both))


def test_a_secret_directive_wins_over_the_env_file(servers):
    proxy = servers.listener().url + "?key=changeme"
    directive = servers.apache(site_with_env(
        f'GRIP_CHAT_SECRET_KEY="{OTHER_SECRET}"\n', proxy, SecretKey=f'"{SECRET}"')).client
    same = servers.apache(lambda a: chat_site(a.database, proxy, SecretKey=f'"{SECRET}"')).client
    assert takes_link(same, link(directive))


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
