"""Tables of docs/conformance.md, made from the code or by trying it."""
