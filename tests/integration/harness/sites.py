"""The parts of an Apache configuration that the tests put together."""


def chat_site(database, *grip_urls, location="/rooms/", **directives):
    """A site as an operator writes it.

    `History=10` becomes `GripChatHistory 10`; a list repeats the directive; None leaves it out.
    """
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
