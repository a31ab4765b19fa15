"""A room has one address below each mount, so what Apache is told of that address cannot be gone around."""

import pytest

from harness import grip, paths
from harness.client import FORM, form_body
from harness.httpd import configtest
from harness.sites import Host, chat_site, vhost

# Addresses that a server might take for /rooms/secret/, and one may not be served under any of them.
SPELLINGS = [
    "/rooms/secret/", "/rooms/rooms/secret/", "/rooms/x/rooms/secret/", "/x/rooms/secret/",
    "/rooms/secret/rooms/secret/", "/%72ooms/secret/", "/rooms/%73ecret/", "/rooms/secre%74/",
    "//rooms/secret/", "/rooms//secret/", "/rooms/secret//", "/x//rooms/secret/", "///rooms///secret///",
    "/rooms%2Fsecret/", "/rooms%2fsecret%2F", "/x%2Frooms/secret/", "%2Frooms/secret/", "/%2Frooms/secret/",
    "/rooms;a=b/secret/", "/;/rooms/secret/", "/rooms/;/secret/", "/x;/rooms/secret/",
    "/./rooms/secret/", "/rooms/./secret/", "/rooms/secret/./", "/rooms/x/../secret/", "/x/../rooms/secret/",
    "/%2e/rooms/secret/", "/rooms/%2e%2e/rooms/secret/", "/rooms/x/%2E%2E/secret/", "/..;/rooms/secret/",
    "/Rooms/secret/", "/ROOMS/secret/", "/rooms%00/secret/", "/rooms/secret%00/", "/rooms/secret%2500/",
    "/rooms%5Csecret/", "/x%5C..%5Crooms/secret/", "/index.html/rooms/secret/", "/rooms/from/1/rooms/secret/"]
REQUESTS = [("GET", "messages/"), ("POST", "messages/"), ("GET", "events/"), ("GET", "from/0/events/"),
            ("GET", "messages"), ("GET", "events"), ("GET", "from/0/events")]

DENIES = {
    "Location": '<Location "/rooms/secret/">\nRequire all denied\n</Location>\n',
    "LocationMatch": '<LocationMatch "^/rooms/secret/">\nRequire all denied\n</LocationMatch>\n',
    "If": "<If \"%{REQUEST_URI} =~ m#^/rooms/secret/#\">\nRequire all denied\n</If>\n",
    "RewriteRule": 'RewriteEngine On\nRewriteRule "^/rooms/secret/" "-" [F]\n'}
SLASHES = {"as they are": "", "kept": "MergeSlashes Off\nAllowEncodedSlashes NoDecode\n",
           "decoded": "MergeSlashes Off\nAllowEncodedSlashes On\n"}


def module(name):
    return f'LoadModule {name}_module "{paths.apache_modules_dir()}/mod_{name}.so"\n'


def quiet(apache):
    """What httpd refuses it logs."""
    apache.error_log.allow(r"\[(core|authz_core|rewrite):error\]")
    return apache


def host(apache, name):
    return Host(apache.client, name)


def ask(where, method, path):
    """A request of a client that has a proxy's signature too, so that streams are held where they can be."""
    if method == "POST":
        return where.request("POST", path, form_body({"from": "al", "text": "from outside"}),
                             {"Content-Type": FORM})
    return where.get(path, Grip_Sig=grip.token())


def is_of(answer, room, text=b"from outside"):
    """Whether an answer tells anything of a room where that text is, or holds a stream of it."""
    channel = answer.header("Grip-Channel")
    return (f"room-{room}:".encode() in answer.body or text in answer.body or
            channel is not None and grip.parse_channel(channel)[0] == f"events-room-{room}")


# -- one address -----------------------------------------------------------------------------------

CLOSED = [(deny, slashes, mount) for deny in DENIES for slashes in SLASHES for mount in ("/rooms/", "/")]


@pytest.fixture(scope="module")
def closed(module_servers):
    """Hosts of one site. The room `secret` is open on one, and closed on the others by one kind of rule each."""
    proxy = module_servers.listener()

    def site(a):
        def one(name, location, lines=""):
            return vhost(a, name, chat_site(a.database, proxy.url + "?key=changeme", location=location) + lines)
        return module("rewrite") + one("inside", "/rooms/") + "".join(
            one(f"closed{number}", mount, SLASHES[slashes] + DENIES[deny])
            for number, (deny, slashes, mount) in enumerate(CLOSED))
    apache = quiet(module_servers.apache(site))
    host(apache, "inside").say("secret", "from inside")
    return apache


@pytest.mark.parametrize("number", range(len(CLOSED)), ids=[" ".join(each) for each in CLOSED])
def test_a_closed_room_is_closed_under_every_spelling(closed, number):
    outside = host(closed, f"closed{number}")
    assert outside.say("open", "x")["text"] == "x"
    found = [(method, path + rest, answer) for path in SPELLINGS for method, rest in REQUESTS
             if is_of(answer := ask(outside, method, path + rest), "secret", b"from inside")]
    assert not found, found
    assert host(closed, "inside").texts("secret") == ["from inside"]


def test_a_room_may_be_named_rooms(closed):
    outside = host(closed, "closed0")
    outside.say("rooms", "a")
    assert outside.get("/rooms/rooms/messages/").json["last-event-id"] == "room-rooms:1"
    assert is_of(outside.get("/rooms/rooms/from/0/events/"), "rooms")
    moved = outside.get("/rooms/rooms/messages")
    assert (moved.status, moved.header("Location")) == (301, "/rooms/rooms/messages/"), moved
    assert outside.get("/rooms/rooms/rooms/messages/").status == 404


# -- several mounts --------------------------------------------------------------------------------

@pytest.fixture(scope="module")
def mounted(module_servers):
    def site(a):
        def location(*paths):
            return "".join(f'<Location "{path}">\nSetHandler grip-chat\nRequire all granted\n</Location>\n'
                           for path in paths)

        def one(name, number, lines):
            database = a.database.with_name(f"{number}.db")
            return vhost(a, name, f'GripChatDatabase sqlite3 "{database}"\nGripChatGripURL none\n'
                         "GripChatStreams Off\n" + lines)
        return "".join([
            one("two", 1, location("/one/", "/other/rooms/")),
            one("written", 2, location("/") + "GripChatMount /one /other/\n"),
            one("match", 3, 'GripChatMount /one/ /other/\n<LocationMatch "^/(one|other|third)/rooms/">\n'
                "SetHandler grip-chat\nRequire all granted\n</LocationMatch>\n"),
            one("case", 6, '<Location "/one/">\nSetHandler Grip-CHAT\nRequire all granted\n</Location>\n'
                'GripChatMount /one/ /other/\n<Location "/other/">\nRequire all granted\nSetHandler '
                '"%{tolower:GRIP-CHAT}"\n</Location>\n'),
            one("first", 4, location("/one/rooms/")), one("second", 4, location("/other")),
            one("deep", 5, location("/") + "GripChatMount /rooms/one/ /other/\n")])
    return quiet(module_servers.apache(site))


@pytest.mark.parametrize("name", ["two", "written", "match", "case"])
def test_a_host_may_have_two_mounts(mounted, name):
    both = host(mounted, name)
    assert ask(both, "POST", "/one/rooms/x/messages/").status == 200
    for mount in ("/one/", "/other/"):
        assert is_of(both.get(f"{mount}rooms/x/messages/"), "x")
    for other in ("/", "/third/", "/one/other/", "/one/rooms/", "/oneother/", "/other/rooms/x/"):
        assert both.get(f"{other}rooms/x/messages/").status in (403, 404), other


def test_one_site_may_have_a_mount_on_each_of_two_hosts(mounted):
    first, second = (host(mounted, name) for name in ("first", "second"))
    assert ask(first, "POST", "/one/rooms/x/messages/").status == 200
    assert is_of(second.get("/other/rooms/x/messages/"), "x")
    assert first.get("/other/rooms/x/messages/").status == 403
    assert second.get("/one/rooms/x/messages/").status == 403


def test_a_mount_may_lie_below_a_folder_named_rooms(mounted):
    deep = host(mounted, "deep")
    assert ask(deep, "POST", "/rooms/one/rooms/x/messages/").status == 200
    assert is_of(deep.get("/other/rooms/x/messages/"), "x")
    assert deep.get("/rooms/one/messages/").status == 404


# -- the handler in a folder -----------------------------------------------------------------------

HANDLER = "SetHandler grip-chat\n"


class Folder:
    """A site of files; `lines` are the host's and `section` its folder's."""

    def __init__(self, servers, lines="", section="", htaccess=None):
        def site(apache):
            self.root = apache.directory / "root"
            (self.root / "sub" / "rooms").mkdir(parents=True)
            (apache.directory / "root-outside").mkdir()
            (self.root / "page.html").write_text("a page")
            for folder, text in (htaccess or {}).items():
                (self.root / folder / ".htaccess").write_text(text)
            proxy = servers.listener().url + "?key=changeme"
            return module("rewrite") + module("include") + (
                f'GripChatDatabase sqlite3 "{apache.database}"\nGripChatGripURL "{proxy}"\n'
                f'DocumentRoot "{self.root}"\n<Directory "{self.root}">\nAllowOverride All\n'
                f"Options FollowSymLinks Includes\nRequire all granted\n{section}</Directory>\n" +
                lines.replace("@ROOT@", str(self.root)))
        self.apache = quiet(servers.apache(site))
        self.client = self.apache.client

    def answers(self, *mounts):
        """Whether these are the mounts, and those that the tests try else are none."""
        for mount in mounts:
            assert ask(self.client, "POST", f"{mount}rooms/secret/messages/").status == 200, mount
            assert is_of(self.client.get(f"{mount}rooms/secret/messages/"), "secret"), mount
            assert ask(self.client, "GET", f"{mount}rooms/secret/events/").header("Grip-Hold") == "stream"
        for other in {"/", "/sub/", "/x/", "/rooms/", "/rooms/x/", "/sub/rooms/", "/sub/x/"} - set(mounts):
            for method, rest in REQUESTS:
                answer = ask(self.client, method, f"{other}rooms/secret/{rest}")
                assert answer.status == 404 and not is_of(answer, "secret"), (other, answer)
        assert self.client.get("/page.html").text == "a page"
        return self


def in_directory(folder):
    return f'<Directory "@ROOT@{folder}">\n{HANDLER}</Directory>\n'


@pytest.mark.parametrize("folder, mounts", [
    ("", ["/"]), ("/sub", ["/sub/"]), ("/sub/rooms", ["/sub/"]), ("/..", ["/"])])
def test_the_handler_may_be_set_for_a_folder(servers, folder, mounts):
    Folder(servers, in_directory(folder)).answers(*mounts)


@pytest.mark.parametrize("folder, mounts", [("", ["/"]), ("sub", ["/sub/"]), ("sub/rooms", ["/sub/"])])
def test_the_handler_may_be_set_by_htaccess(servers, folder, mounts):
    Folder(servers, htaccess={folder: HANDLER}).answers(*mounts)


def test_the_handler_may_be_set_for_files_of_a_folder_and_by_two_htaccess(servers):
    files = f'<FilesMatch "^rooms$">\n{HANDLER}</FilesMatch>\n'
    Folder(servers, in_directory("/sub").replace(HANDLER, files.replace("rooms", "secret")),
           htaccess={"": files}).answers("/", "/sub/")


@pytest.mark.parametrize("lines, htaccess", [
    (in_directory(""), {}), ("", {"": HANDLER}), ("GripChatMount /\n" + HANDLER, {}),
    (f'GripChatMount /\n<FilesMatch "^rooms$">\n{HANDLER}</FilesMatch>\n', {}),
    (f'GripChatMount /\n<LocationMatch "rooms">\n{HANDLER}</LocationMatch>\n', {}),
    (f'GripChatMount /\n<If "true">\n{HANDLER}</If>\n', {})],
    ids=["Directory", "htaccess", "server", "FilesMatch", "LocationMatch", "If"])
def test_an_alias_makes_no_second_address(servers, lines, htaccess):
    folder = Folder(servers, lines + 'Alias "/x" "@ROOT@"\nAliasMatch "(?i)^/y(/.*)$" "@ROOT@$1"\n',
                    htaccess=htaccess).answers("/")
    assert folder.client.get("/x/page.html").text == "a page"
    assert folder.client.get("/Y/rooms/secret/messages/").status == 404


def test_a_mount_that_is_written_is_the_only_one(servers):
    Folder(servers, "GripChatMount /sub/\n" + in_directory(""), htaccess={"": HANDLER}).answers("/sub/")


def test_a_handler_without_a_mount_is_told_once_with_what_to_write(servers):
    lines = 'Alias "/x" "@ROOT@-outside"\n<Directory "@ROOT@-outside">\nRequire all granted\n' + \
        HANDLER + "</Directory>\n"
    folder = Folder(servers, lines)
    folder.apache.error_log.allow(r"\[grip_chat:warn\].*GC0183")
    for _ in range(8):
        assert folder.client.get("/x/rooms/secret/messages/").status == 404
    assert folder.apache.error_log.count(r'GC0183.*write GripChatMount "/x/"') == 1
    assert folder.apache.error_log.count("GC0184") == 7


# -- rewritten, redirected, included ---------------------------------------------------------------

CLOSED_BY_LOCATION = ('<Location "/rooms/">\n' + HANDLER + "</Location>\n"
                      '<Location "/rooms/secret/">\nRequire all denied\n</Location>\n'
                      '<Location "/rooms/open/">\nRequire all granted\n</Location>\n')
CONTENT = "Require all granted\n"


@pytest.mark.parametrize("rules, path", [
    ('RewriteRule "^/old/(.*)" "/rooms/$1" [PT]\n', "/old/open/messages/"),
    ('RewriteRule "^/old/(.*)" "/rooms/$1" [PT]\n', "/old/secret/messages/"),
    ('RewriteRule "^/x/rooms/(.*)" "/rooms/$1" [PT]\n', "/x/rooms/open/messages/"),
    ('RewriteRule "^/rooms/open/(.*)" "/rooms/secret/$1" [PT]\n', "/rooms/open/messages/"),
    ('RewriteRule "^/rooms/secret/(.*)" "/rooms/open/$1" [PT]\n', "/rooms/secret/messages/"),
    ('RewriteRule "^/rooms/secret/messages/" "/rooms/open/events/" [PT]\n', "/rooms/secret/messages/")])
def test_a_rule_makes_no_second_address(servers, rules, path):
    folder = Folder(servers, "RewriteEngine On\n" + rules + CLOSED_BY_LOCATION)
    folder.apache.error_log.allow(r"\[grip_chat:warn\].*GC0182")
    answer = folder.client.get(path)
    assert answer.status in (403, 404) and not is_of(answer, "open") and not is_of(answer, "secret")
    assert "GC0184" in folder.apache.error_log.text() or answer.status == 403 or "GC0182" in \
        folder.apache.error_log.text()


@pytest.mark.parametrize("lines, htaccess", [
    ('RewriteEngine On\nRewriteRule "^/public/(.*)" "/rooms/x/$1" [PT]\n', {}),
    ('RewriteEngine On\nRewriteRule "^/public/(.*)" "/inner/$1" [PT]\n', {}),
    ("", {"": 'RewriteEngine On\nRewriteRule "^public/(.*)" "/inner/$1"\n'})],
    ids=["into a room", "in the server", "in a folder"])
def test_a_mount_may_be_the_address_before_it_is_rewritten(servers, lines, htaccess):
    inner = f'GripChatMount /public/\n<Location "/inner/">\n{HANDLER}</Location>\n'
    folder = Folder(servers, lines + inner.replace("/inner/", "/rooms/x/" if "/rooms/x/" in lines else "/inner/"),
                    htaccess=htaccess)
    answer = folder.client.form("/public/rooms/open/messages/", {"from": "al", "text": "hi"})
    assert answer.status == 200, answer
    assert folder.client.get("/inner/rooms/open/messages/").status == 404
    link, _ = grip.parse_link(ask(folder.client, "GET", "/public/rooms/open/events/").header("Grip-Link"))
    assert link.startswith("/public/rooms/open/events/?")
    moved = folder.client.get("/public/rooms/open/messages?a=b")
    assert moved.header("Location").endswith("/public/rooms/open/messages/?a=b")


@pytest.mark.parametrize("htaccess, path", [
    ('RewriteEngine On\nRewriteRule "^sub/x" "/rooms/secret/messages/"\n', "/sub/x"),
    ('RewriteEngine On\nRewriteRule "^sub/x" "/rooms/open/messages/"\n', "/sub/x"),
    ("ErrorDocument 404 /rooms/open/messages/\n", "/nothing"),
    ("DirectoryIndex /rooms/open/messages/\n", "/sub/"),
    ("FallbackResource /rooms/open/messages/\n", "/sub/y"),
    ("AddHandler grip-chat .html\n", "/page.html/rooms/secret/messages/")])
def test_no_other_request_is_led_into_a_room(servers, htaccess, path):
    folder = Folder(servers, CLOSED_BY_LOCATION, htaccess={"": htaccess})
    for method in ("GET", "POST"):
        answer = ask(folder.client, method, path)
        assert answer.status in (403, 404) and not is_of(answer, "open"), answer
    assert folder.client.get("/rooms/open/messages/").json["messages"] == []


def test_a_page_cannot_include_a_room(servers):
    folder = Folder(servers, CLOSED_BY_LOCATION, section="AddOutputFilter INCLUDES .shtml\n")
    folder.apache.error_log.allow(r"\[include:error\]")
    folder.client.say("open", "from outside")
    (folder.root / "page.shtml").write_text('<!--#include virtual="/rooms/open/messages/" -->')
    answer = folder.client.get("/page.shtml")
    assert answer.status == 200 and b"an error occurred" in answer.body and not is_of(answer, "open")


# -- what cannot be told ---------------------------------------------------------------------------

ELSEWHERE = [
    f'<LocationMatch "^/chat/rooms/">\n{HANDLER}</LocationMatch>\n',
    f'<Location ~ "^/chat/rooms/">\n{HANDLER}</Location>\n',
    f'<Location "/*/rooms/">\n{HANDLER}</Location>\n',
    f'<Location "/rooms/lobby/">\n{HANDLER}</Location>\n',
    f'<Location "/rooms/rooms/">\n{HANDLER}</Location>\n',
    f'<Location "rooms/">\n{HANDLER}</Location>\n',
    f'<LocationMatch "^/chat/">\n<If "true">\n{HANDLER}</If>\n</LocationMatch>\n',
    f'<FilesMatch "rooms">\n{HANDLER}</FilesMatch>\n',
    f'<Files "rooms">\n{HANDLER}</Files>\n',
    f'<If "true">\n{HANDLER}</If>\n',
    f'<DirectoryMatch "/srv/.*/chat">\n{HANDLER}</DirectoryMatch>\n',
    f'<Directory "/srv/*/chat">\n{HANDLER}</Directory>\n',
    HANDLER]


@pytest.mark.parametrize("section", ELSEWHERE)
@pytest.mark.parametrize("in_host", [False, True], ids=["server", "host"])
def test_a_section_that_does_not_tell_the_mount_is_refused(section, in_host):
    def site(apache, mount=""):
        lines = f'GripChatDatabase sqlite3 "{apache.database}"\nGripChatGripURL none\n'
        return vhost(apache, "one", lines + section + mount) if in_host else lines + section + mount
    status, output = configtest(site)
    assert status != 0 and "GC0101: GripChatMount of" in output and "write GripChatMount and" in output, output
    named = section.split()[0] if section.startswith(("<Location", "<Files", "<Dir", "<If")) else "no section"
    assert named.replace("<Location ~", "<LocationMatch") in output, output
    assert configtest(lambda a: site(a, "GripChatMount /chat/\n")) == (0, "Syntax OK\n")


def test_a_host_without_a_site_needs_no_mount():
    def site(apache):
        return ELSEWHERE[0] + vhost(apache, "one", chat_site(apache.database, "none") + "GripChatMount /\n")
    assert configtest(site) == (0, "Syntax OK\n")


def test_a_folder_of_another_host_is_none_of_ours():
    def site(apache):
        one, two = apache.directory / "one", apache.directory / "two"
        return (f'<Directory "{one}">\n{HANDLER}</Directory>\n' +
                vhost(apache, "one", f'DocumentRoot "{one}"\nGripChatGripURL none\n'
                                     f'GripChatDatabase sqlite3 "{apache.database}"\n') +
                vhost(apache, "two", f'DocumentRoot "{two}"\n' + chat_site(apache.database, "none", Streams=None)))
    status, output = configtest(site)
    assert (status, output.splitlines()[-1]) == (0, "Syntax OK"), output


@pytest.mark.parametrize("path", ["chat/", "http://one.example/chat/", "//", "/chat//", "/./", "/a/../b/",
                                  "/my%20chat/", "/rooms/", "/chat/rooms", "${GRIP_CHAT_NOT_SET}"])
def test_what_is_no_mount_is_refused(path):
    status, output = configtest(lambda a: chat_site(a.database, "none") + f'GripChatMount "{path}"\n')
    assert status != 0 and "GripChatMount: '" in output, output
    assert "for example /chat/" in output or "ends in rooms/" in output or "not defined" in output, output


# -- somebody else answers -------------------------------------------------------------------------

WORDPRESS = ("RewriteEngine On\nRewriteBase /\nRewriteRule ^index\\.html$ - [L]\n"
             "RewriteCond %{REQUEST_FILENAME} !-f\nRewriteCond %{REQUEST_FILENAME} !-d\n"
             "RewriteRule . /index.html [L]\n")
CHAT = '<Location "/chat/rooms/">\n' + HANDLER + "</Location>\n"


def test_rules_that_answer_for_the_rooms_are_told_once_and_can_be_turned_off(servers):
    folder = Folder(servers, CHAT, htaccess={"": WORDPRESS})
    folder.apache.error_log.allow(r"\[grip_chat:warn\].*GC0182")
    (folder.root / "index.html").write_text("the front page")
    for _ in range(8):
        assert folder.client.get("/chat/rooms/x/messages/").body == b"the front page"
    assert folder.apache.error_log.count(r"GC0182.*write RewriteEngine Off") == 1
    cured = Folder(servers, CHAT.replace(HANDLER, HANDLER + "RewriteEngine Off\n"), htaccess={"": WORDPRESS})
    assert cured.client.get("/chat/rooms/x/messages/").json["messages"] == []
    assert "GC0182" not in cured.apache.error_log.text()


def test_a_proxy_that_answers_for_the_rooms_is_told_once_and_can_be_turned_off(servers):
    proxy = module("proxy") + module("proxy_http") + 'ProxyPass "/" "http://127.0.0.1:1/"\n'
    folder = Folder(servers, CHAT + proxy)
    folder.apache.error_log.allow(r"\[grip_chat:warn\].*GC0182", r"\[proxy(_http)?:error\]")
    for _ in range(4):
        assert folder.client.get("/chat/rooms/x/messages/").status == 503
    assert folder.apache.error_log.count(r'GC0182.*write ProxyPass "/chat/rooms/" !') == 1
    cured = Folder(servers, CHAT + proxy.replace("ProxyPass", 'ProxyPass "/chat/rooms/" !\nProxyPass', 1))
    assert cured.client.get("/chat/rooms/x/messages/").json["messages"] == []
