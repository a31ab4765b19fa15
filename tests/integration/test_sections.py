"""A directive that stands in sections, such as a Location: each section has the number that the last one which
counts for a request says. The module has none yet, so this one is of the tests' own."""

import pytest

from harness import paths
from harness.client import Client, messages_path
from harness.httpd import configtest
from harness.sites import chat_site, vhost


def with_number(site):
    """A configuration with the module that has the directive, and the one that tells of it."""
    def make(apache):
        apache.module = paths.other_layout_path()
        return f'LoadModule section_number_module "{paths.section_number_path()}"\n' + site(apache)
    return make


def section(path, *lines, name="Location"):
    inner = "".join(f"    {line}\n" for line in lines)
    return f'<{name} "{path}">\n{inner}</{name}>\n'


def number(value):
    return f"GripChatTestNumber {value}"


def number_at(client, path, host="one"):
    return client.request("GET", path, headers={"Host": host}).headers["Section-Number"]


def test_a_section_has_the_last_number_that_counts_for_it(servers):
    sections = (section("/rooms/a/", number(20)) + section("/rooms/a/messages/", number(30)) +
                section("/rooms/a/events/", "Require all granted"))
    apache = servers.apache(with_number(
        lambda a: chat_site(a.database, "none") + sections + vhost(a, "one", "") +
        vhost(a, "other", number(2) + "\n" + section("/rooms/a/messages/", number(3)))))
    client = Client(apache.port)
    paths_of_rooms = [messages_path("z"), "/rooms/a/", messages_path("a"), "/rooms/a/events/"]
    assert [number_at(client, path) for path in paths_of_rooms] == ["7", "20", "30", "20"]
    assert [number_at(client, path, "other") for path in paths_of_rooms] == ["2", "20", "3", "20"]


def test_a_number_leaves_the_handler_of_the_sections_around_it(servers):
    apache = servers.apache(with_number(
        lambda a: chat_site(a.database, "none") + section("/rooms/x/", number(9))))
    answer = Client(apache.port).request("GET", messages_path("x"))
    assert (answer.status, answer.headers["Section-Number"]) == (200, "9"), answer
    answer = Client(apache.port).request("GET", messages_path("y"))
    assert (answer.status, answer.headers["Section-Number"]) == (200, "7"), answer


@pytest.mark.parametrize("value", ["0", "1001", "many", "Off"])
def test_a_wrong_number_is_named(value):
    status, output = configtest(with_number(
        lambda a: chat_site(a.database, "none") + section("/a/", number(value))))
    assert status != 0
    assert f"GripChatTestNumber: '{value}' must be a whole number from 1 to 1000, for example 7" in output


def test_an_htaccess_has_no_number(servers):
    def site(apache):
        folder = apache.directory / "docs"
        folder.mkdir()
        folder.chmod(0o755)
        (folder / ".htaccess").write_text(number(5) + "\n")
        return (chat_site(apache.database, "none") + f'Alias "/docs/" "{folder}/"\n' +
                section(folder, "AllowOverride All", "Require all granted", name="Directory"))
    apache = servers.apache(with_number(site))
    apache.error_log.allow(r"GripChatTestNumber not allowed here")
    assert Client(apache.port).request("GET", "/docs/").status == 500
