"""Access tokens: what is accepted, and everything that is not (RFC 7515, 7519, 8725, 9068).

Forged tokens are made by hand, byte for byte, so that no library corrects them on the way.
"""

import hashlib
import hmac
import json
import time
from base64 import urlsafe_b64encode
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from imageserver.accounts import tokens
from imageserver.accounts.keys import make_signing_keys
from imageserver.accounts.tokens import LEEWAY_SECONDS, LONGEST_TOKEN, issue_access_token, read_access_token
from imageserver.errors import InvalidToken, TokenExpired

NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
T = int(NOW.timestamp())
SECRET, OTHER_SECRET = hashlib.sha256(b"one").digest(), hashlib.sha256(b"two").digest()
KEYS = make_signing_keys(SECRET)
HEADER = {"alg": "HS256", "typ": "at+jwt", "kid": KEYS.signing.id}
CLAIMS = {
    "iss": "imageserver",
    "aud": "imageserver-api",
    "sub": "user",
    "sid": "session",
    "jti": "0123456789abcdef",
    "iat": T,
    "nbf": T,
    "exp": T + 900,
}
RSA_PUBLIC = (
    rsa.generate_private_key(public_exponent=65537, key_size=2048)
    .public_key()
    .public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
)


def part(value: Any) -> str:
    data = value if isinstance(value, bytes) else json.dumps(value).encode()
    return urlsafe_b64encode(data).rstrip(b"=").decode()


def sign(signed: str, secret: bytes = SECRET, digest: str = "sha256") -> str:
    return f"{signed}.{part(hmac.new(secret, signed.encode(), digest).digest())}"


def forge(header: Any = HEADER, claims: Any = CLAIMS, secret: bytes = SECRET, digest: str = "sha256") -> str:
    return sign(f"{part(header)}.{part(claims)}", secret, digest)


def with_header(**changes: Any) -> str:
    return forge({**HEADER, **changes})


def with_claims(**changes: Any) -> str:
    return forge(claims={**CLAIMS, **changes})


def without(name: str) -> str:
    return forge(claims={key: value for key, value in CLAIMS.items() if key != name})


def spare_bits_changed(token: str) -> str:
    """The same bytes in another spelling: base64 of 32 bytes has two spare bits in its last character."""
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    return token[:-1] + alphabet[alphabet.index(token[-1]) ^ 1]


def twice(value: dict[str, Any], name: str, first: str) -> bytes:
    """The JSON of a value with one member written a second time in front."""
    return json.dumps({name: first}).removesuffix("}").encode() + b", " + json.dumps(value).encode()[1:]


GOOD = forge()
HEAD, BODY, SIGNATURE = GOOD.split(".")
EC_KEY = ec.generate_private_key(ec.SECP256R1()).public_key().public_bytes(
    serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
)  # fmt: skip

UNSIGNED = {
    f"alg {alg!r}": sign(f"{part({**HEADER, 'alg': alg})}.{BODY}")
    for alg in (
        "none",
        "None",
        "NONE",
        "nOnE",
        "",
        "hs256",
        "HS384",
        "HS512",
        "RS256",
        "ES256",
        "PS256",
        "EdDSA",
        1,
    )
} | {
    f"alg {alg!r}, no signature": f"{part({**HEADER, 'alg': alg})}.{BODY}."
    for alg in ("none", "None", "NONE", "HS256")
}
CONFUSED = {
    "alg null": with_header(alg=None),
    "no alg": forge({"typ": "at+jwt", "kid": KEYS.signing.id}),
    "HS384 made rightly": forge({**HEADER, "alg": "HS384"}, digest="sha384"),
    "HS512 made rightly": forge({**HEADER, "alg": "HS512"}, digest="sha512"),
    "HS256 with an RSA public key": forge(secret=RSA_PUBLIC),
    "HS256 with an EC public key": forge(secret=EC_KEY),
    "jwk in the header": with_header(jwk={"kty": "oct", "k": part(OTHER_SECRET)}),
    "jku in the header": with_header(jku="https://evil.example/keys"),
    "x5u in the header": with_header(x5u="https://evil.example/cert"),
    "x5c in the header": with_header(x5c=["MIIB"]),
    "zip in the header": with_header(zip="DEF"),
    "cty of a nested token": with_header(cty="JWT"),
    "kid is a path": with_header(kid="../../../dev/null"),
    "kid is SQL": with_header(kid="' OR '1'='1"),
    "kid is empty": with_header(kid=""),
    "kid is null": with_header(kid=None),
    "kid is a list": with_header(kid=[KEYS.signing.id]),
    "kid of another key": with_header(kid=make_signing_keys(OTHER_SECRET).signing.id),
    "no kid": forge({"alg": "HS256", "typ": "at+jwt"}),
    "empty secret": forge(secret=b""),
    "another secret": forge(secret=OTHER_SECRET),
}
EXTENDED = {
    "crit b64": with_header(crit=["b64"], b64=False),
    "crit exp": with_header(crit=["exp"]),
    "crit empty": with_header(crit=[]),
    "crit unknown": with_header(crit=["x"], x=1),
    "crit null": with_header(crit=None),
    "b64 false": with_header(b64=False),
    "typ JWT": with_header(typ="JWT"),
    "typ upper case": with_header(typ="AT+JWT"),
    "typ with prefix": with_header(typ="application/at+jwt"),
    "typ of a logout token": with_header(typ="logout+jwt"),
    "typ empty": with_header(typ=""),
    "typ null": with_header(typ=None),
    "no typ": forge({"alg": "HS256", "kid": KEYS.signing.id}),
}
MISSHAPEN = {
    "empty": "",
    "one dot": f"{HEAD}.{BODY}",
    "dots only": "..",
    "four parts": f"{GOOD}.x",
    "five parts (JWE)": f"{part({'alg': 'dir', 'enc': 'A256GCM'})}..{BODY}.{BODY}.{SIGNATURE}",
    "no signature": f"{HEAD}.{BODY}.",
    "signature of another message": f"{HEAD}.{part({**CLAIMS, 'sub': 'other'})}.{SIGNATURE}",
    "cut signature": GOOD[:-4],
    "padding": f"{GOOD}=",
    "white space": f"{HEAD}. {BODY}.{SIGNATURE}",
    "line feed at the end": f"{GOOD}\n",
    "standard base64": f"{HEAD}.{BODY}.{SIGNATURE[:-1]}+",
    "spare bits": spare_bits_changed(GOOD),
    "not ASCII": f"{HEAD}.{BODY}.ä",
    "NUL": f"{GOOD}\0",
    "longer than any of ours": f"{GOOD}{'A' * LONGEST_TOKEN}",
    "1 MB": "A" * 1_000_000,
    "1 MB of dots": "." * 1_000_000,
    "header no JSON": sign(f"{part(b'{')}.{BODY}"),
    "header a list": sign(f"{part(['HS256'])}.{BODY}"),
    "header not UTF-8": sign(f"{part(bytes([0xFF, 0xFE]))}.{BODY}"),
    "header twice": sign(f"{part(twice(HEADER, 'alg', 'none'))}.{BODY}"),
    "claims twice": sign(f"{HEAD}.{part(twice(CLAIMS, 'sub', 'other'))}"),
    "claims no JSON": sign(f"{HEAD}.{part(b'claims')}"),
    "claims a list": forge(claims=["sub"]),
    "claims a number": forge(claims=1),
    "claims deeply nested": sign(f"{HEAD}.{part(b'[' * 1200)}"),
    "nested token": sign(f"{HEAD}.{part(GOOD.encode())}"),
}
WRONG_CLAIMS = {
    **{f"without {name}": without(name) for name in CLAIMS},
    **{f"{name} null": with_claims(**{name: None}) for name in CLAIMS},
    "another issuer": with_claims(iss="somebody"),
    "another audience": with_claims(aud="imageserver-downloads"),
    "a list of audiences": with_claims(aud=["imageserver-api"]),
    "sub a number": with_claims(sub=1),
    "sub empty": with_claims(sub=""),
    "sid a list": with_claims(sid=["session"]),
    "jti very long": with_claims(jti="j" * 65),
    "an unknown claim": with_claims(role="admin"),
    "exp text": with_claims(exp=str(T + 900)),
    "exp float": with_claims(exp=T + 900.0),
    "exp true": with_claims(exp=True),
    "exp negative": with_claims(exp=-1),
    "exp 2^63": with_claims(exp=2**63),
    "exp 10^400": sign(f"{HEAD}.{part(json.dumps(CLAIMS).replace(str(T + 900), '1' + '0' * 400).encode())}"),
    "exp infinite": sign(f"{HEAD}.{part(json.dumps(CLAIMS).replace(str(T + 900), 'Infinity').encode())}"),
    "exp NaN": sign(f"{HEAD}.{part(json.dumps(CLAIMS).replace(str(T + 900), 'NaN').encode())}"),
    "exp before iat": with_claims(exp=T - 1),
    "exp equal to iat": with_claims(exp=T),
    "a second too long": with_claims(exp=T + 901),
    "a year": with_claims(exp=T + 31_536_000),
    "iat text": with_claims(iat=str(T)),
    "iat in the future": with_claims(iat=T + LEEWAY_SECONDS + 1, exp=T + 900),
    "nbf in the future": with_claims(nbf=T + LEEWAY_SECONDS + 1),
    "nbf float": with_claims(nbf=T + 0.5),
    "iat negative": with_claims(iat=-5, exp=T + 900),
}
ALL_FORGED = UNSIGNED | CONFUSED | EXTENDED | MISSHAPEN | WRONG_CLAIMS


def named(cases: dict[str, str]) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("token", [pytest.param(token, id=name) for name, token in cases.items()])


class TestForgedTokens:
    def test_the_forge_can_make_a_good_one(self) -> None:
        assert read_access_token(KEYS, GOOD, NOW).user_id == "user"

    @named(ALL_FORGED)
    def test_is_refused(self, token: str) -> None:
        with pytest.raises(InvalidToken):
            read_access_token(KEYS, token, NOW)

    @named(ALL_FORGED)
    def test_is_refused_for_logging_out_too(self, token: str) -> None:
        with pytest.raises(InvalidToken):
            read_access_token(KEYS, token, NOW, accept_expired=True)

    @named(ALL_FORGED)
    def test_costs_little(self, token: str) -> None:
        seconds = []  # the least of them, because others hold what the interpreter does in between
        for _ in range(5):
            started = time.process_time()
            with pytest.raises(InvalidToken):
                read_access_token(KEYS, token, NOW)
            seconds.append(time.process_time() - started)
        assert min(seconds) < 0.010

    def test_there_are_as_many_forms_as_the_threat_table_asks_for(self) -> None:
        assert len(UNSIGNED | CONFUSED | MISSHAPEN) >= 40
        assert len(EXTENDED) >= 10
        assert len(WRONG_CLAIMS) >= 30

    def test_every_changed_character_is_seen(self) -> None:
        for index in range(0, len(GOOD), 3):
            changed = GOOD[:index] + ("A" if GOOD[index] != "A" else "B") + GOOD[index + 1 :]
            with pytest.raises(InvalidToken):
                read_access_token(KEYS, changed, NOW)


class TestTime:
    @pytest.mark.parametrize("seconds", [0, 1, 899, 900, 900 + LEEWAY_SECONDS - 1])
    def test_good_until_its_end_and_the_leeway(self, seconds: int) -> None:
        assert read_access_token(KEYS, GOOD, NOW + timedelta(seconds=seconds)).session_id == "session"

    @pytest.mark.parametrize("seconds", [900 + LEEWAY_SECONDS, 901 + LEEWAY_SECONDS, 100_000])
    def test_expired_from_then_on(self, seconds: int) -> None:
        with pytest.raises(TokenExpired):
            read_access_token(KEYS, GOOD, NOW + timedelta(seconds=seconds))

    def test_a_clock_that_is_a_little_behind(self) -> None:
        assert read_access_token(KEYS, GOOD, NOW - timedelta(seconds=LEEWAY_SECONDS))
        with pytest.raises(InvalidToken):
            read_access_token(KEYS, GOOD, NOW - timedelta(seconds=LEEWAY_SECONDS + 1))

    def test_the_leeway_is_at_most_half_a_minute(self) -> None:
        assert 0 < LEEWAY_SECONDS <= 30

    def test_an_expired_token_still_names_its_session_when_asked(self) -> None:
        later = NOW + timedelta(days=1)
        assert read_access_token(KEYS, GOOD, later, accept_expired=True).session_id == "session"


class TestIssuing:
    def test_what_is_issued_is_read_again(self) -> None:
        token, lifetime = issue_access_token(KEYS, "user", "session", NOW + timedelta(hours=12), NOW)
        claims = read_access_token(KEYS, token, NOW)
        assert (claims.user_id, claims.session_id, lifetime) == ("user", "session", 900)
        assert (claims.issued, claims.expires) == (NOW, NOW + timedelta(minutes=15))

    def test_never_outlives_the_session(self) -> None:
        token, lifetime = issue_access_token(KEYS, "user", "session", NOW + timedelta(seconds=70), NOW)
        assert lifetime == 70
        assert read_access_token(KEYS, token, NOW).expires == NOW + timedelta(seconds=70)

    def test_no_two_are_equal(self) -> None:
        tokens = {issue_access_token(KEYS, "u", "s", NOW + timedelta(hours=1), NOW)[0] for _ in range(20)}
        assert len(tokens) == 20


class TestRotation:
    def test_an_old_key_verifies_and_the_new_one_signs(self) -> None:
        both = make_signing_keys(OTHER_SECRET, SECRET)
        assert read_access_token(both, GOOD, NOW)
        fresh, _ = issue_access_token(both, "user", "session", NOW + timedelta(hours=1), NOW)
        assert read_access_token(make_signing_keys(OTHER_SECRET), fresh, NOW)

    def test_a_removed_key_verifies_nothing(self) -> None:
        with pytest.raises(InvalidToken):
            read_access_token(make_signing_keys(OTHER_SECRET), GOOD, NOW)


class TestRemembering:
    """The signature of a token is computed once; everything that may change is looked at each time."""

    def test_a_good_signature_is_not_computed_again(self, monkeypatch: pytest.MonkeyPatch) -> None:
        token, _ = issue_access_token(KEYS, "user", "session", NOW + timedelta(hours=1), NOW)
        first = read_access_token(KEYS, token, NOW)
        monkeypatch.setattr("jose.jws.verify", lambda *_, **__: pytest.fail("it was computed again"))
        assert read_access_token(KEYS, token, NOW) == first

    def test_its_time_still_runs_out(self) -> None:
        token, _ = issue_access_token(KEYS, "user", "session", NOW + timedelta(hours=1), NOW)
        read_access_token(KEYS, token, NOW)
        with pytest.raises(TokenExpired):
            read_access_token(KEYS, token, NOW + timedelta(minutes=16))
        with pytest.raises(InvalidToken):
            read_access_token(KEYS, token, NOW - timedelta(minutes=1))

    def test_without_its_key_it_is_worth_nothing(self) -> None:
        token, _ = issue_access_token(KEYS, "user", "session", NOW + timedelta(hours=1), NOW)
        read_access_token(KEYS, token, NOW)
        with pytest.raises(InvalidToken):
            read_access_token(make_signing_keys(OTHER_SECRET), token, NOW)

    def test_what_is_refused_is_refused_again_and_takes_no_place(self) -> None:
        before = tokens._signed_claims.cache_info().currsize
        for _ in range(2):
            with pytest.raises(InvalidToken):
                read_access_token(make_signing_keys(OTHER_SECRET), GOOD, NOW)
        assert tokens._signed_claims.cache_info().currsize == before
