"""Publishing to Fastly, and what Fanout signs: a local server stands for api.fastly.com, with its name, over
TLS, and a key pair of ours for Fastly's. What only Fastly itself can show is in docs/fastly.md."""

import json
import time

import pytest

from harness import fastly_api, grip, paths
from harness.client import events_path
from harness.held import is_held
from harness.publish_listener import PublishListener
from harness.sites import chat_site

WARNING = r"\[grip_chat:warn\].*GC0301"
LIMITED = r"\[grip_chat:warn\].*GC0305.*status 429"


@pytest.fixture
def authority(tmp_path):
    if not fastly_api.is_possible():
        pytest.skip("to give Apache a CA of its own needs root, a mount namespace and ca-certificates")
    # The run user reads what is in it.
    tmp_path.chmod(0o755)
    return fastly_api.Authority(tmp_path)


@pytest.fixture
def fastly(servers, authority):
    api = fastly_api.FastlyApi(authority.certificate())
    return servers.keep(api, fastly_api.FastlyApi.stop).start()


def site_of(api, authority, *more_grip_urls, is_trusted=True, **directives):
    """A site that publishes to a service of Fastly's, with a key of ours as Fastly's public key."""
    def make(apache):
        apache.wrap(authority.wrap(is_trusted))
        key = grip.setting(grip.ec_key().public)
        return chat_site(apache.database, api.grip_url, *more_grip_urls, GripVerifyKey=f'"{key}"',
                         **directives)
    return make


def channel(room):
    return f"events-room-{room}"


def is_hint(item):
    return item["formats"]["http-stream"].get("action") == "hint"


def test_messages_are_published_as_the_api_is_documented(servers, authority, fastly, room):
    apache = servers.apache(site_of(fastly, authority))
    apache.client.say(room, "hello")
    fastly.wait_for(lambda api: api.taken(channel(room)), "publish")
    publish = fastly.publishes[0]
    assert publish.path == f"/service/{fastly.service}/publish/"
    assert publish.headers["Host"] == f"{fastly_api.NAME}:{fastly.port}"
    assert publish.headers["Authorization"] == "Bearer a-token-of-ours"
    assert publish.headers["Content-Type"] == "application/json"
    assert publish.headers["Expect"] is None and publish.headers["Transfer-Encoding"] is None
    item, = publish.items
    assert item["channel"] == channel(room) and item["id"] == "1" and item["prev-id"] == "0"
    assert '"text": "hello"' in item["formats"]["http-stream"]["content"]


def test_one_connection_serves_them_all(servers, authority, fastly, room):
    apache = servers.apache(site_of(fastly, authority))
    for number in range(6):
        apache.client.say(room, str(number))
        fastly.wait_for(lambda api: f'"text": "{number}"' in str(  # pylint: disable=cell-var-from-loop
            api.taken(channel(room))[-1:]), f"message {number}")  # pylint: disable=cell-var-from-loop
    assert len(fastly.publishes) >= 6 and fastly.connections == 1


@pytest.mark.parametrize("fault", ["unknown CA", "another name", "expired"])
def test_nothing_is_said_to_a_server_with_a_wrong_certificate(servers, authority, room, fault):
    certificate = {"unknown CA": authority.certificate(),
                   "another name": authority.certificate("api.example.net"),
                   "expired": authority.certificate(days=-1)}[fault]
    api = servers.keep(fastly_api.FastlyApi(certificate), fastly_api.FastlyApi.stop).start()
    apache = servers.apache(site_of(api, authority, is_trusted=fault != "unknown CA"))
    apache.error_log.allow(WARNING)
    apache.client.say(room, "a secret")
    apache.error_log.wait_for(WARNING + ".*(?i:certificate|SSL)")
    api.wait_for(lambda api: api.connections >= 2, "second try")
    assert not api.publishes
    assert api.token not in apache.error_log.text()


def test_a_token_that_is_refused_is_logged_and_heals_by_a_hint(servers, authority, fastly, room):
    apache = servers.apache(site_of(fastly, authority))
    apache.error_log.allow(WARNING)
    ours, fastly.token = fastly.token, "another-token"
    apache.client.say(room, "one")
    apache.error_log.wait_for(WARNING + r".*status 401.*credentials are missing or invalid")
    apache.client.say(room, "two")
    fastly.token = ours
    fastly.wait_for(lambda api: any(map(is_hint, api.taken(channel(room)))), "hint")
    apache.error_log.wait_for("GC0302")
    assert not [item for item in fastly.taken(channel(room)) if not is_hint(item)]
    assert apache.error_log.count("GC0304") == 0, "the items are not at fault"
    assert ours not in apache.error_log.text()


def reach_the_limit(apache, api, room, fields):
    """Publish once, and be refused so."""
    apache.error_log.allow(LIMITED)
    api.limited = fields
    apache.client.say(room, "one")
    apache.error_log.wait_for(LIMITED + ".*exceeded your hourly rate limit")


def wait_healed(apache, api, *rooms):
    """Until all is published, or hinted, again; what it took, as statuses and the pauses between them."""
    for room in rooms:
        api.wait_for(lambda api: any(map(is_hint, api.taken(channel(room)))),  # pylint: disable=cell-var-from-loop
                     f"hint for {room}")
    apache.error_log.wait_for("GC0302")
    assert not [item for room in rooms for item in api.taken(channel(room)) if not is_hint(item)]
    publishes = api.publishes
    return ([publish.status for publish in publishes],
            [after.time - before.time for before, after in zip(publishes, publishes[1:])])


@pytest.mark.parametrize("fields,least,most", [
    pytest.param(lambda: {"Retry-After": "3"}, 2.9, 5, id="Retry-After"),
    # What is told is a second without its fraction.
    pytest.param(lambda: fastly_api.window_of(4), 2.9, 6, id="Fastly-RateLimit-Reset"),
    pytest.param(lambda: {"Retry-After": "3", **fastly_api.window_of(3600)}, 2.9, 5, id="both"),
])
def test_a_limit_is_waited_out_and_what_was_missed_is_hinted(servers, authority, fastly, room, fields,
                                                             least, most):
    apache = servers.apache(site_of(fastly, authority))
    reach_the_limit(apache, fastly, room, fields())
    fastly.limited = None
    for number in range(10):
        apache.client.say(room, str(number))
    apache.client.say("another", "hello")
    statuses, pauses = wait_healed(apache, fastly, room, "another")
    assert statuses[:2] == [429, 200]
    assert least < pauses[0] < most
    assert apache.error_log.count("GC0305") == 1 and apache.error_log.count("GC0301") == 0


def test_a_limit_without_an_end_is_tried_less_and_less_often(servers, authority, fastly, room):
    apache = servers.apache(site_of(fastly, authority))
    reach_the_limit(apache, fastly, room, {})
    fastly.wait_for(lambda api: len(api.publishes) == 3, "third try")
    fastly.limited = None
    apache.client.say(room, "two")
    statuses, pauses = wait_healed(apache, fastly, room)
    assert statuses[:4] == [429, 429, 429, 200]
    # A second and doubled, each a quarter more or less.
    for pause, middle in zip(pauses, (1, 2, 4)):
        assert 0.74 * middle < pause < 1.26 * middle + 1, pauses
    assert apache.error_log.count("GC0305") == 1


@pytest.mark.parametrize("fields,pause", [
    # No end of a limit is waited for longer than a minute: the clock may be wrong.
    pytest.param(lambda: fastly_api.window_of(3000), r"60\.0", id="far"),
    pytest.param(lambda: fastly_api.window_of(-5), r"(0\.[789]|1\.[0123])", id="past"),
    pytest.param(lambda: {"Fastly-RateLimit-Reset": "soon"}, r"(0\.[789]|1\.[0123])", id="no number"),
])
def test_how_long_a_limit_is_waited_for_is_logged(servers, authority, fastly, room, fields, pause):
    apache = servers.apache(site_of(fastly, authority))
    reach_the_limit(apache, fastly, room, fields())
    apache.error_log.wait_for(LIMITED + f".*trying again in {pause} s")


def test_a_limit_of_one_proxy_is_none_of_another(servers, authority, fastly, room):
    other = servers.keep(PublishListener(), PublishListener.stop).start()
    apache = servers.apache(site_of(fastly, authority, other.url))
    reach_the_limit(apache, fastly, room, fastly_api.window_of(3000))
    for number in range(4):
        apache.client.say(room, f"m{number}")
    other.wait_for_message(5)
    assert not any(map(is_hint, other.items()))
    assert [publish.status for publish in fastly.publishes] == [429]


def test_an_item_that_is_refused_keeps_nobody_else_waiting(servers, authority, fastly):
    apache = servers.apache(site_of(fastly, authority))
    apache.error_log.allow(r"\[grip_chat:error\].*GC0304")
    fastly.refuses = lambda publish: b"unwanted" in publish.body
    apache.client.say("good", "before")
    apache.client.say("bad", "unwanted")
    apache.client.say("good", "after")
    fastly.wait_for(lambda api: any('"text": "after"' in json.dumps(item).replace('\\"', '"')
                                    for item in api.taken(channel("good"))), "message of the other room")
    fastly.wait_for(lambda api: any(map(is_hint, api.taken(channel("bad")))), "hint")
    apache.error_log.wait_for(r"GC0304.*status 400.*cannot be published")


# -- what Fanout signs -----------------------------------------------------------------------------

def test_a_stream_is_held_for_the_service_alone(servers, authority, fastly):
    apache = servers.apache(site_of(fastly, authority))
    pair, issuer = grip.ec_key(), f"fastly:{fastly.service}"

    def held(token):
        return is_held(apache.client.get(events_path("x"), Grip_Sig=token))
    assert held(grip.token(pair.private, "ES256", iss=issuer))
    assert held(grip.token(pair.private, "ES256", iss=issuer, nbf=int(time.time()) + 30))
    for what, token in {
            "another service": grip.token(pair.private, "ES256", iss="fastly:another"),
            "no service": grip.token(pair.private, "ES256", iss=None),
            "Pushpin": grip.token(pair.private, "ES256", iss="pushpin"),
            "another key": grip.token(grip.ec_key(1).private, "ES256", iss=issuer),
            "expired": grip.token(pair.private, "ES256", iss=issuer, expires_in=-120),
            "without end": grip.token(pair.private, "ES256", iss=issuer, expires_in=None),
            "the API token": grip.token(fastly.token, iss=issuer),
            "the public key as a secret": grip.hand_made(
                {"alg": "HS256", "typ": "JWT"}, grip.claims(iss=issuer), pair.public),
            "unsigned": grip.hand_made({"alg": "none"}, grip.claims(iss=issuer)),
    }.items():
        assert not held(token), what


def test_the_published_key_is_taken_as_the_template_has_it(servers, authority, fastly):
    """It is Fastly's: what we sign does not fit it."""
    template = (paths.ROOT / ".env.template").read_text().splitlines()
    line = next(line for line in template if line.startswith("#GRIP_VERIFY_KEY="))

    def site(apache):
        apache.wrap(authority.wrap())
        env = apache.directory / "env"
        env.write_text(line[1:] + f"\nGRIP_URL={fastly.grip_url}\n")
        return chat_site(apache.database, EnvFile=f'"{env}"')
    apache = servers.apache(site)
    assert apache.error_log.count("GC0104") == 0
    answer = apache.client.get(events_path("x"), Grip_Sig=grip.token(
        grip.ec_key().private, "ES256", iss=f"fastly:{fastly.service}"))
    assert answer.status == 200 and not is_held(answer)
