"""The order of the integration tests."""

# Several workers get whole files, and one that begins late with a long one is who all wait for.
LONGEST = ["test_retention.py", "test_cache.py", "test_links.py", "test_load_client.py"]


def pytest_collection_modifyitems(items):
    def place(item):
        return LONGEST.index(item.path.name) if item.path.name in LONGEST else len(LONGEST)
    items.sort(key=place)
