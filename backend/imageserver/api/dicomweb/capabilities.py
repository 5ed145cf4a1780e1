"""What DICOMweb offers here: ``OPTIONS`` of each of its addresses, and ``GET /dicomweb`` (PS3.18 8.9)."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from fastapi import APIRouter, Depends, FastAPI, Request
from fastapi.responses import FileResponse, JSONResponse, Response
from starlette.routing import BaseRoute

from imageserver.api.authentication import get_current_user
from imageserver.api.conditions import NO_STORE
from imageserver.api.dicomweb import wadl
from imageserver.api.dicomweb.accept import accepted
from imageserver.api.dicomweb.description import Resource, dicomweb_resources, resources_at
from imageserver.api.dicomweb.service_address import server_address
from imageserver.api.problems import problem_responses
from imageserver.errors import NotAcceptable

router = APIRouter(tags=["dicomweb"], dependencies=[Depends(get_current_user)])

CONFORMANCE = Path(__file__).with_name("conformance.md")
JSON = "application/json"
STORING = "POST"
_ROOTS = ("/dicomweb", "/dicomweb/")
_ANSWERS: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "The resources, with their methods, parameters and media types.",
        "content": {wadl.MEDIA_TYPE: {"schema": {"type": "string"}}, JSON: {"schema": {"type": "object"}}},
    },
    **problem_responses(401, 406, 503),
}


@router.get(_ROOTS[0], response_class=Response, responses=_ANSWERS)
@router.get(_ROOTS[1], response_class=Response, responses=_ANSWERS, include_in_schema=False)
def get_capabilities(request: Request) -> Response:
    """Tell which resources there are, with what each takes and gives: as WADL, or as JSON where that is asked for."""
    return _answer(request, offered_resources(request.app))


@router.get(
    "/dicomweb/conformance",
    response_class=Response,
    responses={
        200: {
            "description": "The conformance statement, in Markdown.",
            "content": {"text/markdown": {"schema": {"type": "string"}}},
        },
        **problem_responses(401, 503),
    },
)
def get_conformance_statement() -> FileResponse:
    """Give the DICOM conformance statement of this version."""
    return FileResponse(CONFORMANCE, media_type="text/markdown; charset=utf-8", headers=dict(NO_STORE))


def options_routes(routes: Sequence[BaseRoute]) -> list[BaseRoute]:
    """Return routes by which every address of DICOMweb among those given answers to ``OPTIONS``.

    One route for all addresses would also take those that do not exist, which then were 405 and not 404.
    """
    options = APIRouter(dependencies=[Depends(get_current_user)], include_in_schema=False)
    for path in dict.fromkeys((*_ROOTS, *(resource.path for resource in dicomweb_resources(routes)))):
        options.add_api_route(path, get_options, methods=["OPTIONS"], response_class=Response)
    return options.routes


def get_options(request: Request) -> Response:
    """Tell what can be done with one address: its methods in ``Allow``, and what they take and give."""
    offered = offered_resources(request.app)
    path: str = request.scope["path"]
    own = resources_at(offered, path)
    methods = dict.fromkeys(method for resource in own for method in resource.methods) or {"OPTIONS": None}
    response = _answer(request, offered if path in _ROOTS else own)
    response.headers["Allow"] = ", ".join(methods)
    return response


def offered_resources(app: FastAPI) -> tuple[Resource, ...]:
    """Return the resources as this server is configured: one that stores nothing does not offer to."""
    resources = dicomweb_resources(app.routes)
    if app.state.settings.store_dir is not None:
        return resources
    kept = (
        one._replace(transactions=tuple(each for each in one.transactions if each.method != STORING))
        for one in resources
    )
    return tuple(one for one in kept if one.transactions)


def _answer(request: Request, resources: tuple[Resource, ...]) -> Response:
    base = server_address(request)
    conformance = f"{base}/dicomweb/conformance"
    headers = {**NO_STORE, "Vary": "Authorization, Accept", "Link": f'<{conformance}>; rel="describedby"'}
    if _media_type(request) == JSON:
        return JSONResponse(_as_json(request.app, resources, conformance), headers=headers)
    body = wadl.write_wadl(resources, base, request.app.title, conformance)
    return Response(body, media_type=wadl.MEDIA_TYPE, headers=headers)


def _media_type(request: Request) -> str:
    for one in accepted(request):
        if one.media_type in {"*/*", "application/*", wadl.MEDIA_TYPE, "application/xml", "text/xml"}:
            return wadl.MEDIA_TYPE
        if one.media_type == JSON:
            return JSON
    raise NotAcceptable(f"There are {wadl.MEDIA_TYPE} and {JSON}.")


def _as_json(app: FastAPI, resources: tuple[Resource, ...], conformance: str) -> dict[str, Any]:
    return {
        "server": app.title,
        "version": app.version,
        "conformance": conformance,
        "resources": [
            {
                "path": resource.path,
                "methods": resource.methods,
                "transactions": [transaction._asdict() for transaction in resource.transactions],
            }
            for resource in resources
        ],
    }
