"""Every ``IMAGESERVER_*`` variable: typed, documented, checked at start. Read once, passed to ``create_app``."""

import ipaddress
import os
import re
from pathlib import Path
from typing import Annotated, Any, Literal, Self
from urllib.parse import urlsplit

from pydantic import Field, SecretStr, field_validator, model_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict
from sqlalchemy import make_url
from sqlalchemy.exc import ArgumentError

from imageserver.origins import InvalidOrigin, normalise_origin

LOOPBACK_HOSTS = ("localhost", "127.0.0.1", "[::1]")
HOST_AND_PORT = re.compile(r"([a-z0-9._-]+|\[[0-9a-f:.]+\])(?::[0-9]{1,5})?")
DATABASE_DRIVERS = ("postgresql+psycopg", "sqlite", "sqlite+pysqlite")

CommaSeparated = Annotated[list[str], NoDecode]


class Settings(BaseSettings):
    """Settings of one server; the names of the variables are ``IMAGESERVER_`` + the upper-case field name."""

    model_config = SettingsConfigDict(
        env_prefix="IMAGESERVER_",
        env_ignore_empty=True,
        extra="ignore",
        frozen=True,
        hide_input_in_errors=True,
    )

    data_dir: Path = Field(Path("data"), description="Folder with the DICOM files; it is only read.")
    state_dir: Path = Field(
        Path(".state"), description="Folder for what the server keeps: the SQLite file and the signing keys."
    )
    store_dir: Path | None = Field(
        None,
        description="Folder for what clients store; it must lie outside of the data directory. Empty: nothing can be "
        "stored.",
    )
    store_file_mib: int = Field(
        4096, ge=1, le=1_048_576, description="Largest file that can be stored, in MiB."
    )
    store_request_mib: int = Field(
        65_536, ge=1, le=1_048_576, description="Largest request to store files, in MiB."
    )
    store_reserve_mib: int = Field(
        512,
        ge=0,
        le=1_048_576,
        description="Room, in MiB, that storing leaves free on the disk of the store: the database often lies there "
        "too, and without room for it nobody could log in any more.",
    )
    deleted_days: int = Field(
        30, ge=0, le=3650, description="Days for which deleted instances can be restored."
    )
    database_url: str = Field(
        "",
        description="SQLAlchemy address of the database (`postgresql+psycopg://…` or `sqlite:///…`). "
        "Empty: `imageserver.sqlite3` in the state directory.",
    )
    database_password_file: Path | None = Field(
        None, description="File whose content is the password for `DATABASE_URL`."
    )
    host: str = Field("127.0.0.1", description="Address on which the API (and the SPA's server) listens.")
    port: int = Field(8000, ge=0, le=65535, description="Port of the API.")
    workers: int = Field(1, ge=1, le=64, description="Number of API processes.")
    index_readers: int = Field(
        0,
        ge=0,
        le=64,
        description="Number of processes that read headers where thousands of files are new. 0: one for each "
        "processor, at most 8.",
    )
    web_port: int = Field(3000, ge=0, le=65535, description="Port of the SPA.")
    web_url: str = Field(
        "",
        description="Address of the SPA as a person's browser sees it; the set-up link starts with it. "
        "Empty: `http://localhost:` + the web port.",
    )
    api_url: str = Field(
        "",
        description="Address of the API as the browser sees it. Empty: the host name of the page, port of the API.",
    )
    bind: str = Field(
        "127.0.0.1",
        description="Address on which docker-compose publishes both ports (read by compose only).",
    )
    cors_origins: CommaSeparated = Field(
        default_factory=list,
        description="Origins, separated by commas, whose pages may call the API. `*` and `null` are refused. "
        "Empty: `localhost` and `127.0.0.1` on the web port, and the origin of `WEB_URL`.",
    )
    allowed_hosts: CommaSeparated = Field(
        default_factory=list,
        description="Host names, separated by commas, under which the API may be called, beside the loopback "
        "names and the hosts of the allowed origins.",
    )
    trusted_proxies: CommaSeparated = Field(
        default_factory=list,
        description="Addresses or networks, separated by commas, of reverse proxies whose "
        "`X-Forwarded-For` and `X-Forwarded-Proto` are believed.",
    )
    api_docs: bool = Field(True, description="Serve `/docs` and `/openapi.json`.")
    log_level: Literal["debug", "info", "warning", "error"] = Field(
        "info", description="Least severity logged."
    )
    min_password_length: int = Field(
        15, ge=8, le=64, description="Shortest password accepted (NIST SP 800-63B-4: 15, never less than 8)."
    )
    session_idle_minutes: int = Field(
        30, ge=5, le=60, description="A session ends after this many minutes without a request."
    )
    session_max_hours: int = Field(
        12, ge=1, le=24, description="A session ends this many hours after log-in."
    )
    scrub_days: int = Field(
        7,
        ge=0,
        le=365,
        description="Days within which the content of every file is compared with its checksum, in idle time. "
        "0: never.",
    )
    scratch_mib: int = Field(
        4096,
        ge=64,
        le=1_048_576,
        description="Room in the state directory, in MiB, for the volumes that planes are cut from. They are removed "
        "when the server starts and stops.",
    )
    signing_keys_file: Path | None = Field(
        None,
        description="File with the keys that sign access tokens. Empty: `keys.json` in the state directory.",
    )
    admin_username: str = Field(
        "", description="Account to create at start where it does not exist (unattended)."
    )
    admin_password: SecretStr = Field(
        SecretStr(""), description="Password of that account, used once. Prefer `ADMIN_PASSWORD_FILE`."
    )
    admin_password_file: Path | None = Field(None, description="File whose content is that password.")

    @field_validator("cors_origins", "allowed_hosts", "trusted_proxies", mode="before")
    @classmethod
    def _split_commas(cls, value: Any) -> Any:
        return (
            [part.strip() for part in value.split(",") if part.strip()] if isinstance(value, str) else value
        )

    @field_validator("cors_origins")
    @classmethod
    def _check_origins(cls, value: list[str]) -> list[str]:
        try:
            return [normalise_origin(origin) for origin in value]
        except InvalidOrigin as error:
            raise ValueError(str(error)) from None

    @field_validator("web_url", "api_url")
    @classmethod
    def _check_url(cls, value: str) -> str:
        if value and (urlsplit(value).scheme not in {"http", "https"} or not urlsplit(value).hostname):
            raise ValueError("must be an http or https address, such as http://localhost:3000")
        return value.rstrip("/")

    @field_validator("database_url")
    @classmethod
    def _check_database_url(cls, value: str) -> str:
        if not value:
            return value
        try:
            url = make_url(value)
        except (ArgumentError, ValueError):
            raise ValueError("must be an address such as postgresql+psycopg://user@host/name") from None
        if url.drivername not in DATABASE_DRIVERS:
            raise ValueError("must begin with postgresql+psycopg:// or sqlite:///")
        if url.get_backend_name() == "sqlite" and (url.host or url.username):
            raise ValueError(
                "a SQLite address has three slashes before its path, four before an absolute one"
            )
        return value

    @field_validator("database_password_file")
    @classmethod
    def _check_database_password_file(cls, value: Path | None) -> Path | None:
        if value is not None:
            _read_password(value)
        return value

    @field_validator("trusted_proxies")
    @classmethod
    def _check_networks(cls, value: list[str]) -> list[str]:
        for network in value:
            ipaddress.ip_network(network, strict=False)
        return value

    @model_validator(mode="after")
    def _check_database_user(self) -> Self:
        has_user = bool(self.database_url) and make_url(self.database_url).username
        if self.database_password_file and not has_user:
            raise ValueError("DATABASE_PASSWORD_FILE needs a DATABASE_URL that names a user")
        return self

    @model_validator(mode="after")
    def _check_admin(self) -> Self:
        has_password = bool(self.admin_password.get_secret_value() or self.admin_password_file)
        if has_password != bool(self.admin_username):
            raise ValueError(
                "ADMIN_USERNAME and one of ADMIN_PASSWORD, ADMIN_PASSWORD_FILE are given together or not at all"
            )
        return self

    @model_validator(mode="after")
    def _check_store_dir(self) -> Self:
        """Keep the two folders apart: a file in both would be indexed twice."""
        if self.store_dir is not None:
            store, data = _resolved(self.store_dir), _resolved(self.data_dir)
            if store == data or store in data.parents or data in store.parents:
                raise ValueError("STORE_DIR and DATA_DIR must lie outside of each other")
        return self

    @property
    def effective_database_url(self) -> str:
        """The database address, with the embedded default and the password filled in."""
        if not self.database_url:
            return f"sqlite:///{(self.state_dir / 'imageserver.sqlite3').resolve()}"
        if self.database_password_file is None:
            return self.database_url
        password = _read_password(self.database_password_file)
        return make_url(self.database_url).set(password=password).render_as_string(hide_password=False)

    @property
    def effective_web_url(self) -> str:
        """Address of the SPA for people."""
        return self.web_url or f"http://localhost:{self.web_port}"

    @property
    def effective_cors_origins(self) -> list[str]:
        """Origins that may call the API; never a wildcard."""
        if self.cors_origins:
            return self.cors_origins
        own = [
            f"http://localhost:{self.web_port}",
            f"http://127.0.0.1:{self.web_port}",
            self.effective_web_url,
        ]
        return list(dict.fromkeys(normalise_origin(origin) for origin in own))

    @property
    def effective_allowed_hosts(self) -> frozenset[str]:
        """Host names (lower case, no port) under which the API may be called."""
        urls = [*self.effective_cors_origins, self.effective_web_url, self.api_url]
        named = [host for url in urls if (host := urlsplit(url).netloc.rpartition("@")[2])]
        hosts = [*LOOPBACK_HOSTS, *self.allowed_hosts, *(host_without_port(host) for host in named)]
        if self.host not in {"0.0.0.0", "::"}:  # noqa: S104 - compared, not bound
            hosts.append(self.host)
        return frozenset(host.lower() for host in hosts)


def _resolved(path: Path) -> Path:
    """Return where a path leads, with links followed as far as they can be."""
    return Path(os.path.realpath(path))


def _read_password(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8").rstrip("\r\n")
    except OSError as error:
        raise ValueError(f"cannot be read ({error.strerror})") from None
    except UnicodeDecodeError:
        raise ValueError("is not UTF-8 text") from None


def host_without_port(value: str) -> str:
    """Take the host name out of a ``Host`` value, in lower case; empty when the value is malformed."""
    match = HOST_AND_PORT.fullmatch(value.lower())
    return match[1] if match else ""
