"""Routes are put together once."""

from imageserver.api.routes import routes


def test_every_application_has_the_same_ones() -> None:
    first, second = routes(with_docs=False), routes(with_docs=True)
    assert first
    assert all(one is other for one, other in zip(first, second, strict=False))


def test_only_the_page_of_the_api_can_be_left_out() -> None:
    left_out = routes(with_docs=True)[len(routes(with_docs=False)) :]
    assert {getattr(route, "path", "") for route in left_out} == {"/docs", "/docs/start.js", "/docs/{name}"}
