"""The parts of an Apache configuration that the tests put together."""

from . import paths
from .client import FORM, form_body, messages_path


def chat_site(database, *grip_urls, location="/rooms/", **directives):
    """A site as an operator writes it.

    `History=10` becomes `GripChatHistory 10`; a list repeats the directive; None leaves it out.
    The module holds no streams unless `Streams="On"` says so: then each answer ends by itself.
    """
    directives.setdefault("Streams", "Off")
    lines = []
    if database is not None:
        lines.append(f'GripChatDatabase sqlite3 "{database}"')
    if grip_urls:
        lines.append("GripChatGripURL " + " ".join(f'"{url}"' for url in grip_urls))
    lines += directive_lines(directives)
    lines += [f'<Location "{location}">', "    SetHandler grip-chat", "    Require all granted",
              "</Location>"]
    return "\n".join(lines) + "\n"


def directive_lines(directives):
    lines = []
    for name, value in directives.items():
        for each in value if isinstance(value, list) else [value]:
            if each is not None:
                lines.append(f"GripChat{name} {each}")
    return lines


def vhost(apache, name, site):
    return (f"<VirtualHost 127.0.0.1:{apache.port}>\n    ServerName {name}\n{site}"
            "</VirtualHost>\n")


class Host:
    """Requests to one of several virtual hosts."""

    def __init__(self, client, name):
        self._client = client
        self._host = {"Host": name}

    def request(self, method, path, body=None, headers=None):
        return self._client.request(method, path, body, {**self._host, **(headers or {})})

    def post(self, room, text):
        return self.request("POST", messages_path(room), form_body({"from": "al", "text": text}),
                            {"Content-Type": FORM})

    def say(self, room, text):
        answer = self.post(room, text)
        assert answer.status == 200, answer
        return answer.json

    def get(self, path, **headers):
        return self.request("GET", path, headers={
            name.replace("_", "-"): value for name, value in headers.items()})

    def texts(self, room):
        return [m["text"] for m in self.get(messages_path(room)).json["messages"]]


def status_page():
    """What has a server show mod_status's page, at /status."""
    return (f'LoadModule status_module "{paths.apache_modules_dir()}/mod_status.so"\n'
            '<Location "/status">\nSetHandler server-status\nRequire all granted\n</Location>\n')
