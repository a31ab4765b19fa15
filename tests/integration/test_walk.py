"""The walk over the file system finds what it finds without us: the same sections, .htaccess files and names.

Two hosts have the same folder and the same rooms. On one the module takes part in the walk; on the other it
cannot know in time that the request is its own, so httpd walks as ever.
"""

import os
import re

import pytest

from harness import paths
from harness.client import messages_path
from harness.processes import run_directory, wait_until
from harness.sites import Host, vhost
from harness.tracing import traced

X = messages_path("x")
LISTED, DENIED = 200, 403
OPEN = "AllowOverride All\nOptions FollowSymLinks\nRequire all granted\n"
# One process with one thread, so that the second request is answered by whoever had the first.
ONE_THREAD = ("StartServers 1\nServerLimit 1\nMinSpareServers 1\nMaxSpareServers 1\n"
              "MaxRequestWorkers 1\n")
BY_LOCATION = '<Location "{}">\nSetHandler grip-chat\n</Location>\n'
# The condition is true from the time on when the walk has found a name.
TOO_LATE = ('<Location "{}">\n<If "-n %{{REQUEST_FILENAME}}">\nSetHandler grip-chat\n</If>\n'
            "</Location>\n")
TELL = ('Header always set X-Filename "expr=%{REQUEST_FILENAME}"\n'
        'Header always set X-Path-Info "expr=%{PATH_INFO}"\n'
        'Header always set X-Script-Filename "expr=%{SCRIPT_FILENAME}"\n')


class Walks:
    """The two hosts, and the folder that both have. `lines` stand in both, `section` is the folder's."""

    def __init__(self, servers, lines="", section=OPEN, location="/rooms/"):
        def host(apache, name, handler):
            root = apache.directory / "root"
            root.mkdir(exist_ok=True)
            return vhost(apache, name, (
                f'GripChatDatabase sqlite3 "{apache.database}"\nGripChatGripURL none\n'
                f'DocumentRoot "{root}"\n<Directory "{root}">\n{section}</Directory>\n' +
                TELL + handler.format(location) + lines.replace("@ROOT@", str(root))))

        def site(apache):
            rewrite = paths.apache_modules_dir() + "/mod_rewrite.so"
            return (f'LoadModule rewrite_module "{rewrite}"\n' + ONE_THREAD +
                    host(apache, "ours", BY_LOCATION) + host(apache, "plain", TOO_LATE))
        self.apache = servers.apache(site, mpm="prefork")
        # What the walk refuses is logged by httpd, and that its one process is busy, if it is when httpd looks.
        self.apache.error_log.allow(r"\[(core|authz_core):(error|crit)\]", "AH00161")
        self.root = self.apache.directory / "root"

    def make(self, name, text=None):
        """A file, or a folder."""
        path = self.root.joinpath(*name.split("/"))
        path.parent.mkdir(parents=True, exist_ok=True)
        if text is None:
            path.mkdir(exist_ok=True)
        else:
            path.write_text(text)
        return path

    def ask(self, host, path=X, method="GET"):
        answer = self.apache.client.request(method, path, headers={"Host": host})
        told = {name: answer.header(name) for name in
                ("X-Filename", "X-Path-Info", "X-Script-Filename", "X-Section", "X-Env", "Location")}
        return answer.status, told, answer.body

    def both(self, path=X, method="GET"):
        """What both answer, asked twice, so that what is remembered is told too."""
        plain = self.ask("plain", path, method)
        assert [self.ask("ours", path, method) for _ in range(3)] == [plain] * 3
        return plain

    def calls(self, host, path=X):
        """Which paths the kernel is asked for."""
        self.apache.keeper()
        child, = self.apache.children()
        log = self.apache.directory / "calls"
        with traced(child, log, "trace=%file"):
            self.ask(host, path)
        return re.findall(r'stat\w*\([^"]*"([^"]+)"', log.read_text())


def set_section(name):
    return f'Header always set X-Section "{name}"\n'


@pytest.fixture
def walks(servers):
    return Walks(servers)


def test_no_question_is_asked_twice_in_a_second(walks):
    Host(walks.apache.client, "ours").say("x", "hello")
    walks.ask("ours")
    plain = walks.calls("plain")
    assert plain[0] == str(walks.root) + X and plain[-1] == f"{walks.root}/rooms", plain
    assert wait_until(lambda: walks.calls("ours") == [] or None, 10, "request without a stat") is True


def test_nothing_on_the_disk(walks):
    status, told, _ = walks.both()
    assert status == LISTED
    assert (told["X-Filename"], told["X-Path-Info"]) == (f"{walks.root}/rooms", "/x/messages/")


@pytest.mark.parametrize("folder", ["rooms", "rooms/x", "rooms/x/messages", "rooms/y"])
def test_folders_of_the_same_name(walks, folder):
    walks.make(folder)
    assert walks.both()[0] == LISTED


@pytest.mark.parametrize("file", ["rooms", "rooms/x", "rooms/x/messages"])
def test_a_file_of_the_same_name(walks, file):
    walks.make(file, "a file")
    status, told, _ = walks.both()
    assert status == LISTED and told["X-Filename"] == f"{walks.root}/{file}"
    assert walks.both(X.rstrip("/"))[0] == 301


@pytest.mark.parametrize("folder", ["", "rooms", "rooms/x", "rooms/x/messages"])
def test_htaccess_denies(walks, folder):
    walks.make(folder)
    walks.make(f"{folder}/.htaccess".lstrip("/"), "Require all denied\n")
    assert walks.both()[0] == DENIED
    assert walks.both(method="HEAD")[0] == DENIED
    assert walks.both(X.rstrip("/"))[0] == DENIED


def test_htaccess_counts_at_once_where_the_folder_was_there(walks):
    walks.make("rooms")
    assert walks.both()[0] == LISTED
    walks.make("rooms/.htaccess", "Require all denied\n")
    assert walks.both()[0] == DENIED
    (walks.root / "rooms/.htaccess").unlink()
    assert walks.both()[0] == LISTED


def test_a_folder_is_found_after_a_second(walks):
    assert walks.both()[0] == LISTED
    walks.make("rooms/.htaccess", "Require all denied\n")
    wait_until(lambda: walks.ask("ours")[0] == DENIED, 15, "folder is found")
    assert walks.both()[0] == DENIED


def test_names_of_one_length_are_told_apart(walks):
    walks.make("rooms/y/.htaccess", "Require all denied\n")
    for _ in range(2):
        assert walks.both(messages_path("x"))[0] == LISTED
        assert walks.both(messages_path("y"))[0] == DENIED


def test_files_are_looked_for_each_time(walks):
    file = walks.make("rooms", "a file")
    assert walks.both()[0] == LISTED
    file.unlink()
    walks.make("rooms/.htaccess", "Require all denied\n")
    assert walks.both()[0] == DENIED


def test_what_is_not_ours_is_looked_for_each_time(servers):
    walks = Walks(servers, location="/chat/rooms/")
    for path in ("/rooms/x/messages", "/chat/rooms/page"):
        assert walks.ask("ours", "/chat" + X)[0] == LISTED
        assert walks.ask("ours", path)[0] == 404
        walks.make(path.lstrip("/"), "a page")
        assert walks.ask("ours", path)[2] == b"a page"


@pytest.mark.parametrize("options, status", [
    ("FollowSymLinks", LISTED), ("None", DENIED), ("SymLinksIfOwnerMatch", DENIED)])
def test_links(servers, options, status):
    walks = Walks(servers, section=OPEN.replace("FollowSymLinks", options))
    os.symlink(walks.make("elsewhere"), walks.root / "rooms")
    if options == "SymLinksIfOwnerMatch":
        if os.geteuid() != 0:
            pytest.skip("only root makes a link that belongs to another")
        os.lchown(walks.root / "rooms", 1, 1)
    assert walks.both()[0] == status


def test_a_folder_that_becomes_a_link_is_found_after_a_second(servers):
    walks = Walks(servers, section=OPEN.replace("FollowSymLinks", "None"))
    walks.make("rooms")
    assert walks.both()[0] == LISTED
    os.rename(walks.root / "rooms", walks.root / "elsewhere")
    os.symlink(walks.root / "elsewhere", walks.root / "rooms")
    wait_until(lambda: walks.ask("ours")[0] == DENIED, 15, "link is found")


def test_a_folder_that_cannot_be_entered(walks):
    if os.geteuid() != 0:
        pytest.skip("only root makes a folder that the run user cannot enter")
    walks.make("rooms").chmod(0o700)
    assert walks.both()[0] == DENIED


@pytest.mark.parametrize("folders", ["", "rooms"])
def test_a_name_that_is_too_long_for_a_file(walks, folders):
    walks.make(folders)
    status, _, _ = walks.both(f"/rooms/{'x' * 300}/messages/")
    assert status == (DENIED if folders else 400)


def test_a_path_that_is_too_long_to_be_remembered(servers):
    deep = "/".join(["d" * 100] * 4)
    walks = Walks(servers, location="/" + deep)
    path = f"/{deep}{X}"
    assert walks.both(path)[0] == LISTED
    walks.make(deep + "/rooms/.htaccess", "Require all denied\n")
    wait_until(lambda: walks.ask("ours", path)[0] == DENIED, 15, "folder is found")
    assert walks.both(path)[0] == DENIED


SECTIONS = ('<Directory "@ROOT@/rooms">\n' + set_section("rooms") + '</Directory>\n'
            '<Directory "@ROOT@/rooms/x">\n' + set_section("x") + '</Directory>\n')


@pytest.mark.parametrize("folder, section", [("", None), ("rooms", "rooms"), ("rooms/x", "x")])
def test_sections_count_for_folders_that_are_there(servers, folder, section):
    walks = Walks(servers, lines=SECTIONS)
    walks.make(folder)
    assert walks.both()[1]["X-Section"] == section


@pytest.mark.parametrize("section", [
    '<DirectoryMatch "rooms">\n' + set_section("match") + "</DirectoryMatch>\n",
    '<DirectoryMatch "/(?<env>roo)ms$">\n' + set_section("match") + "</DirectoryMatch>\n",
    '<Files "rooms">\n' + set_section("match") + "</Files>\n"])
def test_sections_that_match_a_name(servers, section):
    assert Walks(servers, lines=section).both()[1]["X-Section"] == "match"


REWRITE = "RewriteEngine On\nRewriteCond %{REQUEST_FILENAME} !-d\n"


@pytest.mark.parametrize("htaccess, status", [
    (REWRITE + "RewriteRule ^rooms/(.*)$ - [E=found:$1]\n"
     'Header always set X-Env "expr=%{reqenv:found}"\n', LISTED),
    (REWRITE + "RewriteRule . index.html [L]\n", LISTED),
    (REWRITE + "RewriteRule . - [F]\n", DENIED),
    ("FallbackResource /index.html\n", LISTED),
    ("Redirect 404 /rooms/\n", 404)])
def test_htaccess_of_the_folder_above(walks, htaccess, status):
    walks.apache.error_log.allow(r"\[grip_chat:warn\].*GC0182")  # once, where the page answers
    walks.make("index.html", "the page")
    walks.make(".htaccess", htaccess)
    answer = walks.both()
    assert answer[0] == status
    assert answer[1]["X-Env"] == ("x/messages/" if "E=found" in htaccess else None)


def test_addresses_that_are_rewritten(servers):
    lines = ("RewriteEngine On\nRewriteRule ^/old/(.*)$ /rooms/$1 [PT]\n"
             "RewriteRule ^/rooms/page/messages/$ /page.html [PT]\n"
             "RewriteRule ^/rooms/file/messages/$ @ROOT@/page.html\n")
    walks = Walks(servers, lines=lines)
    walks.apache.error_log.allow(r"\[grip_chat:warn\].*GC0182")
    assert walks.both("/old/x/messages/")[0] == 404
    for room in ("page", "file"):
        walks.both(messages_path(room))
    walks.make("page.html", "a page")
    assert walks.both(messages_path("page"))[2] == b"a page"
    assert walks.both(messages_path("file"))[1]["X-Filename"] == f"{walks.root}/page.html"


def test_a_folder_by_alias(servers):
    outside = run_directory()
    try:
        outside.chmod(0o755)
        lines = f'Alias "/chat" "{outside}"\n<Directory "{outside}">\n{OPEN}</Directory>\n'
        walks = Walks(servers, lines=lines, location="/chat/rooms/")
        status, told, _ = walks.both("/chat" + X)
        assert status == LISTED and told["X-Filename"] == f"{outside}/rooms"
        (outside / ".htaccess").write_text("Require all denied\n")
        assert walks.both("/chat" + X)[0] == DENIED
        (outside / ".htaccess").unlink()
    finally:
        outside.rmdir()


def test_other_methods_and_posts(walks):
    assert walks.both(method="HEAD")[0] == LISTED
    assert walks.both(method="DELETE")[0] == 405
    assert Host(walks.apache.client, "ours").say("x", "hello")["text"] == "hello"
    assert Host(walks.apache.client, "plain").texts("x") == ["hello"]
