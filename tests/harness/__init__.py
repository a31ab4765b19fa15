"""What the tests drive: a real Apache with the module, a real Pushpin, and clients of both."""
