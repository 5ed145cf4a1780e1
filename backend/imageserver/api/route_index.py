"""From an address to its route without trying all of them."""

from collections.abc import Iterator

from fastapi.routing import APIRoute
from starlette.routing import Match, Router
from starlette.types import Receive, Scope, Send

_INDEXED = "GET"


class _Node:
    """What the routes of some beginning of an address go on with."""

    def __init__(self) -> None:
        self.words: dict[str, _Node] = {}
        self.parameter: _Node | None = None
        self.ending: list[tuple[int, APIRoute]] = []
        self.open: list[tuple[int, APIRoute]] = []  # with a parameter that may hold slashes

    def following(self, segment: str) -> Iterator["_Node"]:
        word = self.words.get(segment)
        if word is not None:
            yield word
        if self.parameter is not None:
            yield self.parameter


class RouteIndex:
    """Stands in front of a router: finds the route of a GET by the words of its address, one segment after the other.

    What it does not find is left to the router: other methods, addresses that there are not, and what it answers them.
    """

    def __init__(self, router: Router) -> None:
        self._router = router
        self._root = _Node()
        for number, route in enumerate(router.routes):
            if isinstance(route, APIRoute) and _INDEXED in (route.methods or ()):
                self._add(number, route)

    def _add(self, number: int, route: APIRoute) -> None:
        node = self._root
        for segment in route.path.split("/"):
            if ":" in segment:
                node.open.append((number, route))
                return
            if "{" in segment:
                node.parameter = node.parameter or _Node()
                node = node.parameter
            else:
                node = node.words.setdefault(segment, _Node())
        node.ending.append((number, route))

    def candidates(self, path: str) -> list[APIRoute]:
        """Return the routes that an address may be of, in the order in which the router would try them."""
        found: list[tuple[int, APIRoute]] = []
        nodes = [self._root]
        for segment in path.split("/"):
            for node in nodes:
                found += node.open
            nodes = [following for node in nodes for following in node.following(segment)]
        for node in nodes:
            found += node.ending
        return [route for _, route in sorted(found, key=lambda one: one[0])]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] == "http" and scope["method"] == _INDEXED and not scope.get("root_path"):
            for route in self.candidates(scope["path"]):
                match, found = route.matches(scope)
                if match is Match.FULL:
                    scope.update(found, router=self._router)
                    await route.handle(scope, receive, send)
                    return
        await self._router.app(scope, receive, send)
