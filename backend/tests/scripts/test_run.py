"""What the launcher takes from the settings."""

from pathlib import Path

import pytest

from scripts.preparation import ROOT, SetupError
from scripts.run import SETUP_LINK, Servers


class TestServers:
    def test_defaults(self) -> None:
        servers = Servers.of({"HOME": "/home/somebody"})
        assert (servers.api.host, servers.api.port) == ("127.0.0.1", 8000)
        assert (servers.pages.host, servers.pages.port) == ("127.0.0.1", 3000)
        assert servers.web_url == "http://localhost:3000"
        assert Path(servers.settings["IMAGESERVER_DATA_DIR"]) == ROOT / "data"
        assert Path(servers.settings["IMAGESERVER_STATE_DIR"]) == ROOT / ".state"
        assert "HOME" not in servers.settings

    def test_every_setting_passes_through(self) -> None:
        given = {
            "IMAGESERVER_LOG_LEVEL": "debug",
            "IMAGESERVER_DATA_DIR": "/images",
            "IMAGESERVER_WEB_PORT": "3010",
        }
        servers = Servers.of(given)
        assert given.items() <= servers.settings.items()
        assert servers.web_url == "http://localhost:3010"
        assert servers.pages.variable == "IMAGESERVER_WEB_PORT"

    def test_an_empty_setting_means_the_default(self) -> None:
        assert Servers.of({"IMAGESERVER_PORT": ""}).api.port == 8000

    def test_the_address_for_people_is_the_given_one(self) -> None:
        assert Servers.of({"IMAGESERVER_WEB_URL": "https://pacs.example/"}).web_url == "https://pacs.example"

    def test_what_is_no_port_is_refused_by_name(self) -> None:
        with pytest.raises(SetupError, match="IMAGESERVER_WEB_PORT"):
            Servers.of({"IMAGESERVER_WEB_PORT": "web"})


@pytest.mark.parametrize(
    "line",
    [
        "first account: http://localhost:3000/setup#code=aB3-_x",
        '{"level": "warning", "message": "Create it: http://localhost:3000/setup#code=aB3-_x"}',
    ],
)
def test_the_setup_link_is_found_in_plain_and_in_json_lines(line: str) -> None:
    assert SETUP_LINK.findall(line) == ["http://localhost:3000/setup#code=aB3-_x"]
