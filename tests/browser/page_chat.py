"""The sites that the page is tested on."""

from harness.client import messages_path

# A page that found nobody pauses for up to 30 s, and a request that a new Pushpin loses takes it 50 s.
BACK_WITHIN = 90

# From Enter in one window to the row in the other takes some 50 ms. What no stream brings comes when a stream
# is asked for again: after 20 s and more.
LOST_MS = 8000


class PageChat:
    """The site of `./dev run`: Apache with the page, and Pushpin in front of it."""

    def __init__(self, servers, more=""):
        self.pushpin = None

        def site(apache):
            self.pushpin = servers.pushpin(apache.port)
            return more + apache.page_site(self.pushpin.grip_url)
        self.apache = servers.apache(site)

    def stored_texts(self):
        """The texts of the room "default" as the server has them, oldest first."""
        return [message["text"] for message in self.stored()]

    def stored(self):
        return self.apache.client.get(messages_path("default")).json["messages"][::-1]


class LossyChat(PageChat):
    """Between it and the browser stands a proxy that loses answers."""

    def __init__(self, servers, more=""):
        super().__init__(servers, more)
        self.proxy = servers.lossy_proxy(self.pushpin.port)
