"""Odd headers of requests: tokens, ETags, Accept, Range, Host; each answer is 2xx, 3xx or 4xx (T07, T30)."""

import base64
import json
import random
import tempfile
from functools import partial
from pathlib import Path

from fuzz.campaign import Campaign, Fault
from fuzz.report import Options, Report
from fuzz.served import Served, serve
from tests.builders import to_bytes, volume

COUNT = 20_000
SLOWEST_SECONDS = 5.0
GROWTH_MIB = 64.0
_PATHS = (
    "/volumes",
    "/patient",
    "/slice",
    "/auth/me",
    "/healthz",
    "/index/problems",
    "/openapi.json",
    "/nothing",
)
_NAMES = (
    "If-None-Match",
    "Accept",
    "Range",
    "Accept-Encoding",
    "Origin",
    "X-Request-Id",
    "Cookie",
    "Host",
    "If-Range",
)
_PIECES = (
    *(
        "*",
        '"',
        "W/",
        ",",
        ";",
        "=",
        "-",
        "bytes=",
        "q=",
        "0",
        "1",
        "-1",
        "999999999999999999999",
        "1e309",
        "\\",
        "%00",
    ),
    *(
        "application/dicom",
        "image/png",
        "text/html",
        "multipart/related",
        "boundary=",
        "http://",
        "localhost:3000",
        "null",
    ),
    *(
        "\t",
        " ",
        "a" * 500,
        "é",
        "(" * 60,
        "../",
        "imageserver_session=",
        "gzip",
        "identity",
        "Bearer",
        "{",
        "}",
    ),
)


def run(options: Options) -> Report:
    """Ask with odd headers, with a sound token and with damaged ones."""
    campaign = Campaign(options, slowest_seconds=SLOWEST_SECONDS, growth_mib=GROWTH_MIB)
    chance = random.Random(options.seed)  # noqa: S311 - chance, not secrecy
    with tempfile.TemporaryDirectory(prefix="imageserver-fuzz-") as folder, serve(Path(folder)) as served:
        for number, dataset in enumerate(volume(3)):
            served.write(f"{number}", to_bytes(dataset))
        served.look()
        token = served.client.headers.pop("Authorization").removeprefix("Bearer ")
        while not campaign.is_over():
            headers = odd_headers(chance, token)
            is_sound = headers["Authorization"] == f"Bearer {token}"
            path = chance.choice(_PATHS)
            kept = json.dumps([path, headers]).encode()
            campaign.try_one(kept, partial(ask, served, path, headers, is_sound))
    return campaign.finish()


def ask(served: Served, path: str, headers: dict[str, str], is_sound: bool) -> str:
    """Ask once; a 5xx is a fault, and so is anything of a patient for a token that is not sound."""
    encoded = {name: value.encode("utf-8") for name, value in headers.items()}
    answer = served.client.get(path, headers=encoded)
    if answer.status_code >= 500:
        raise Fault(f"{answer.status_code} of {path}")
    if (
        not is_sound
        and answer.status_code < 400
        and path in ("/volumes", "/patient", "/slice", "/index/problems")
    ):
        raise Fault(f"{path} without a sound token")
    return f"{answer.status_code}"


def odd_headers(chance: random.Random, token: str) -> dict[str, str]:
    """Make up a few headers."""
    headers = {chance.choice(_NAMES): odd_text(chance) for _ in range(chance.randint(0, 4))}
    kind = chance.random()
    headers["Authorization"] = f"Bearer {token if kind < 0.5 else damaged(token, chance)}"
    if kind > 0.95:
        headers["Authorization"] = odd_text(chance)
    return headers


def odd_text(chance: random.Random) -> str:
    """Join a few pieces of headers."""
    return "".join(chance.choice(_PIECES) for _ in range(chance.randint(0, 12)))


def damaged(token: str, chance: random.Random) -> str:
    """Change a token: letters, parts, the claims in it, the algorithm."""
    parts = token.split(".")
    kind = chance.randrange(5)
    if kind == 0:
        at = chance.randrange(len(token) - 1)  # the last letter has bits that mean nothing
        return token[:at] + chance.choice("ABCabc019-_.=") + "." + token[at + 1 :]
    if kind == 1:
        return ".".join(chance.sample(parts, chance.randint(0, 2)))
    if kind == 2:
        header = {
            "alg": chance.choice(["none", "None", "HS384", "RS256", "", None, 1]),
            "typ": chance.choice(["at+jwt", None]),
        }
        return ".".join([_encoded(header), parts[1], chance.choice(["", parts[2]])])
    if kind == 3:
        claims = json.loads(base64.urlsafe_b64decode(parts[1] + "=="))
        claims[chance.choice(list(claims))] = chance.choice([None, -1, 2**70, "x", [], {}, 1e308])
        return ".".join([parts[0], _encoded(claims), parts[2]])
    return token + odd_text(chance) + "x"


def _encoded(value: object) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip("=")
