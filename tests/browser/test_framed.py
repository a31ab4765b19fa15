"""The page in a frame: of its own site it works, of another it stays empty."""

import pytest
from selenium.webdriver.common.by import By

from browser.page_chat import PageChat
from harness.processes import remove_directory, run_directory, wait_until


@pytest.fixture
def chat(servers):
    """Beside it lies a page of the site, which the chat's policy is not for."""
    folder = servers.keep(run_directory(), remove_directory)
    chat = PageChat(servers, f'Alias "/site/" "{folder}/"\n<Directory "{folder}">\n'
                             "    Require all granted\n</Directory>\n")
    page = folder / "frame.htm"
    page.write_text("<!DOCTYPE html><title>A site</title><iframe width=600 height=500"
                    f' src="http://localhost:{chat.pushpin.port}/default?user=alice"></iframe>')
    page.chmod(0o644)
    return chat


def enter_frame(window):
    window.driver.switch_to.frame(window.driver.find_element(By.TAG_NAME, "iframe"))
    return window


def test_the_page_works_in_a_frame_of_its_own_site(chat, window):
    alice = enter_frame(window(chat.pushpin.port).open("/site/frame.htm")).wait_connected()
    alice.send("from a frame")
    alice.wait_text("from a frame")
    chat.apache.client.say("default", "into a frame")
    alice.wait_text("into a frame")
    assert not alice.problems()


def test_the_page_stays_empty_in_a_frame_of_another_site(chat, window):
    mallory = window(chat.pushpin.port)
    mallory.driver.get(f"http://127.0.0.1:{chat.pushpin.port}/site/frame.htm")
    found = []
    wait_until(lambda: found.extend(mallory.problems()) or found, 20, "word of the browser")
    assert any("frame-ancestors 'self'" in problem for problem in found), found
    assert not enter_frame(mallory).all("status")
