"""HTTP: parses a request, calls one function of another room, shapes the answer."""
