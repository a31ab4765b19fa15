"""The bench: what requests and streams take, beside a yardstick; python3 -m bench runs it."""
