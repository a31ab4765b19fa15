"""What other modules' filters make of our answers, which are flushed where they are short."""

import gzip

import pytest

from harness import paths
from harness.client import events_path, messages_path, pipeline
from harness.sites import chat_site


@pytest.fixture(scope="module")
def apache(module_servers):
    """Compresses whatever it may, and adds headers to all answers, and to those that are no errors."""
    def site(apache):
        modules = paths.apache_modules_dir()
        loads = "".join(f'LoadModule {name}_module "{modules}/mod_{name}.so"\n'
                        for name in ("filter", "deflate"))
        return (loads + "SetOutputFilter DEFLATE\nHeader always set X-Always 1\n"
                "Header set X-Success 1\n" + chat_site(apache.database, "none"))
    apache = module_servers.apache(site)
    apache.client.say("x", "hello")
    return apache


def lines_of(answer):
    return {name: value for name, value in answer.headers.items() if name != "Date"}


def test_a_short_list_is_compressed_whole(apache):
    plain = apache.client.get(messages_path("x"))
    small = apache.client.get(messages_path("x"), Accept_Encoding="gzip")
    assert small.header("Content-Encoding") == "gzip"
    assert small.header("Content-Length") == str(len(small.body))
    assert small.header("Transfer-Encoding") is None
    assert gzip.decompress(small.body) == plain.body


def test_an_event_stream_is_not_compressed(apache):
    answer = apache.client.get(events_path("x"), Accept_Encoding="gzip")
    assert answer.header("Content-Encoding") is None
    assert answer.header("Content-Length") == str(len(answer.body))


@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_a_304_has_the_headers_of_the_answer_that_it_stands_for(apache, method):
    full = apache.client.request(method, messages_path("x"))
    same = apache.client.request(method, messages_path("x"),
                                 headers={"If-None-Match": full.header("ETag")})
    assert (full.status, same.status, same.body) == (200, 304, b"")
    # mod_deflate tells of itself where there is something to compress.
    assert lines_of(same) == {name: value for name, value in lines_of(full).items()
                              if name not in ("Content-Type", "Content-Length", "Vary")}
    assert same.header("X-Always") == same.header("X-Success") == "1"


def test_short_answers_stand_behind_each_other_in_a_pipeline(apache):
    etag = apache.client.get(messages_path("x")).header("ETag")
    answers = pipeline(apache.port, *[(messages_path("x"),), (events_path("x"),)] * 10)
    assert [answer.status for answer in answers] == [200] * 20
    raw = apache.client.raw(b"".join(
        f"GET {messages_path('x')} HTTP/1.1\r\nHost: x\r\nIf-None-Match: {etag}\r\n"
        f"Connection: {how}\r\n\r\n".encode() for how in ["keep-alive"] * 9 + ["close"]))
    assert raw.count(b"HTTP/1.1 304 ") == 10 and raw.count(b"\r\n\r\n") == 10
