"""Routes that are answered in one thread: the session is looked up where the answer is made.

FastAPI sends every plain function to a thread of its own, the one that looks up the session and then the route, and
the ways there and back take longer than looking up.
"""

import inspect
from collections.abc import AsyncGenerator, Callable, Coroutine
from typing import Any, cast

from fastapi import Request
from fastapi.concurrency import run_in_threadpool
from fastapi.dependencies.models import Dependant
from fastapi.dependencies.utils import request_params_to_args
from fastapi.exceptions import RequestValidationError
from fastapi.responses import Response
from fastapi.routing import APIRoute

_Opened = list[AsyncGenerator[Any, None]]


class OneThread(APIRoute):
    """A route without a body whose dependencies never wait: they, and the route, run in one thread.

    What it depends on is what its signature says, as ever; nothing is left out, and nothing is done in another order.
    """

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """Return what answers a request.

        Raises
        ------
        TypeError
            If the route asks for something that this class does not give.
        """
        endpoint, dependant = self.endpoint, self.dependant
        if self.body_field is not None or inspect.iscoroutinefunction(endpoint):
            raise TypeError(f"{self.path} cannot be answered in one thread")
        _check(dependant, self.path)

        def answer(request: Request, opened: _Opened) -> Response:
            errors: list[Any] = []
            values = _solve(dependant, request, {}, errors, opened)
            if errors:
                raise RequestValidationError(errors)
            response = endpoint(**values)
            assert isinstance(response, Response)
            return response

        async def handle(request: Request) -> Response:
            opened: _Opened = []
            try:
                return await run_in_threadpool(answer, request, opened)
            finally:  # closed when the answer is sent, as FastAPI does
                for one in opened:
                    request.scope["fastapi_inner_astack"].push_async_callback(one.aclose)

        return handle


def _check(dependant: Dependant, path: str) -> None:
    others = (
        dependant.response_param_name,
        dependant.background_tasks_param_name,
        dependant.security_scopes_param_name,
        dependant.websocket_param_name,
    )
    if any(others) or not dependant.use_cache or inspect.isgeneratorfunction(dependant.call):
        raise TypeError(f"{path} cannot be answered in one thread")
    for one in dependant.dependencies:
        _check(one, path)


def _solve(
    dependant: Dependant, request: Request, known: dict[Any, Any], errors: list[Any], opened: _Opened
) -> dict[str, Any]:
    """Return the arguments of a route or of a dependency; each dependency is asked once per request."""
    values: dict[str, Any] = {}
    for one in dependant.dependencies:
        if one.call not in known:
            wrong: list[Any] = []
            arguments = _solve(one, request, known, wrong, opened)
            if wrong:
                errors += wrong
                continue
            assert one.call is not None
            known[one.call] = _value(one.call(**arguments), opened)
        if one.name is not None:
            values[one.name] = known[one.call]
    for fields, given in (
        (dependant.path_params, "path_params"),
        (dependant.query_params, "query_params"),
        (dependant.header_params, "headers"),
        (dependant.cookie_params, "cookies"),
    ):
        if fields:
            found, wrong = request_params_to_args(fields, getattr(request, given))
            values.update(found)
            errors += wrong
    for name in (dependant.request_param_name, dependant.http_connection_param_name):
        if name:
            values[name] = request
    return values


def _value(called: Any, opened: _Opened) -> Any:
    """Return what a dependency gives: a plain function, or one that is asynchronous without ever waiting."""
    if inspect.isasyncgen(called):
        value = _without_waiting(called.__anext__())
        opened.append(cast("AsyncGenerator[Any, None]", called))
        return value
    return _without_waiting(called) if inspect.iscoroutine(called) else called


def _without_waiting(awaited: Any) -> Any:
    iterator = awaited.__await__()
    try:
        next(iterator)
    except StopIteration as end:
        return end.value
    raise RuntimeError("A dependency of a route that is answered in one thread must not wait.")
