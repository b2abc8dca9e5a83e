from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import httpx
import pytest

from anyfast_nb.errors import Billed, ConnectFailed, ProtocolError
from anyfast_nb.http.download import download
from anyfast_nb.http.reach import Reach, is_public, look_up
from tests.wire_server import Reply, WireServer

BASE = "https://www.gateway.example"
PUBLIC = "93.184.216.34"
LINK = "https://store.example/a%2Fb.mp4?X-Sig=s3cr3t%2B+/="


class Net:
    """A net in which names have the addresses that a test says, and every request is seen."""

    def __init__(self, **names: Sequence[str] | Exception) -> None:
        self.names = {name.replace("_", "."): found for name, found in names.items()}
        self.asked: list[str] = []
        self.seen: list[httpx.Request] = []
        self.dead: set[str] = set()
        self.made: list[tuple[str, str | None]] = []

    async def resolve(self, host: str, port: int) -> Sequence[str]:
        self.asked.append(f"{host}:{port}")
        found = self.names[host]
        if isinstance(found, Exception):
            raise found
        return found

    def connect(self, scheme: str, proxy: str | None) -> httpx.AsyncBaseTransport:
        self.made.append((scheme, proxy))

        def answer(request: httpx.Request) -> httpx.Response:
            self.seen.append(request)
            if request.url.host in self.dead:
                raise httpx.ConnectError("no route", request=request)
            return httpx.Response(200, content=b"ok")

        return httpx.MockTransport(answer)

    def reach(self, base: str = BASE) -> Reach:
        return Reach(base, resolve=self.resolve, connect=self.connect)


@pytest.mark.parametrize("address", [PUBLIC, "1.1.1.1", "2606:4700::1111", "::ffff:93.184.216.34"])
def test_addresses_of_the_open_internet(address: str) -> None:
    assert is_public(address)


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1", "127.8.8.8", "0.0.0.0", "10.0.0.1", "172.16.0.1", "192.168.1.1", "169.254.169.254",
        "100.64.0.1", "224.0.0.1", "255.255.255.255", "192.0.2.1", "240.0.0.1", "::", "::1", "fe80::1",
        "fe80::1%eth0", "fc00::1", "ff02::1", "ff0e::1", "::ffff:127.0.0.1", "::ffff:10.0.0.1", "::127.0.0.1",
        "64:ff9b::7f00:1", "64:ff9b::a9fe:a9fe", "2002:7f00:1::", "2002:0a00:0001::1",
        "2001:0:7f00:1::80ff:fffe", "name", "",
    ],
)  # fmt: skip
def test_all_others_are_not(address: str) -> None:
    assert not is_public(address)


# --- where a request goes ---------------------------------------------------------------------


async def test_the_connection_goes_to_the_checked_address_under_the_links_name() -> None:
    net = Net(store_example=[PUBLIC])
    response = await net.reach().get(LINK, {"Range": "bytes=5-"})
    assert await response.aread() == b"ok"
    (request,) = net.seen
    assert request.url.host == PUBLIC
    assert request.url.raw_path == b"/a%2Fb.mp4?X-Sig=s3cr3t%2B+/="
    assert request.headers["Host"] == "store.example"
    assert request.extensions["sni_hostname"] == "store.example"
    assert request.headers["Range"] == "bytes=5-"
    assert not {"authorization", "cookie", "referer"} & set(request.headers)
    assert net.asked == ["store.example:443"]


async def test_a_name_is_looked_up_once_so_that_a_second_answer_changes_nothing() -> None:
    net = Net(store_example=[PUBLIC])
    resolve = net.resolve

    async def rebinding(host: str, port: int) -> Sequence[str]:
        found = await resolve(host, port)
        net.names["store.example"] = ["127.0.0.1"]
        return found

    reach = Reach(BASE, resolve=rebinding, connect=net.connect)
    await reach.get(LINK, {})
    assert [request.url.host for request in net.seen] == [PUBLIC]
    assert len(net.asked) == 1
    with pytest.raises(ProtocolError):
        await reach.get(LINK, {})
    assert len(net.seen) == 1


async def test_a_port_and_a_foreign_name_are_kept() -> None:
    net = Net(**{"xn--1lq90i_example": [PUBLIC], "北京_example": [PUBLIC]})
    await net.reach().get("https://北京.example:8443/x", {})
    (request,) = net.seen
    assert request.headers["Host"] == "xn--1lq90i.example:8443"
    assert request.url.port == 8443
    assert request.extensions["sni_hostname"] == "xn--1lq90i.example"


async def test_the_next_address_is_tried_if_one_is_dead() -> None:
    net = Net(store_example=["2606:4700::1111", PUBLIC])
    net.dead = {"2606:4700::1111"}
    await net.reach().get(LINK, {})
    assert [request.url.host for request in net.seen] == ["2606:4700::1111", PUBLIC]
    net.dead.add(PUBLIC)
    with pytest.raises(ConnectFailed, match=r"no connection to store\.example"):
        await net.reach().get(LINK, {})


@pytest.mark.parametrize("found", [[], OSError("no such name"), UnicodeError("too long")], ids=str)
async def test_a_name_without_addresses_is_no_connection(found: Any) -> None:
    with pytest.raises(ConnectFailed, match="the name is not known") as caught:
        await Net(store_example=found).reach().get(LINK, {})
    assert "s3cr3t" not in str(caught.value)


@pytest.mark.parametrize(
    "found", [["127.0.0.1"], ["10.1.2.3"], ["::ffff:127.0.0.1"], [PUBLIC, "169.254.169.254"]]
)
async def test_a_name_that_leads_inside_is_refused(found: list[str]) -> None:
    net = Net(store_example=found)
    with pytest.raises(ProtocolError, match="not on the open internet") as caught:
        await net.reach().get(LINK, {})
    assert net.seen == []
    assert "s3cr3t" not in str(caught.value)
    assert (caught.value.sent, caught.value.billed) == (False, Billed.NO)


@pytest.mark.parametrize(
    "link",
    [
        "https://127.0.0.1/x?s3cr3t", "https://[::1]/x", "https://localhost/x", "https://localhost./x",
        "https://10.0.0.1:8443/x", "https://[::ffff:10.0.0.1]/x", "https://2130706433/x", "https://0x7f.1/x",
        "https://127.1/x", "https://[fe80::1]/x", "https://169.254.169.254/latest/meta-data",
        "http://store.example/x?s3cr3t", "http://www.gateway.example/x", "https://user:s3cr3t@store.example/x",
        "ftp://store.example/x", "file:///etc/passwd", "//store.example/x", "store", "", "https://", "http://[/",
        "data:video/mp4;base64,s3cr3t",
    ],
)  # fmt: skip
@pytest.mark.parametrize("proxied", [False, True])
async def test_links_that_lead_elsewhere_are_refused_unsent(
    link: str, proxied: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    if proxied:
        monkeypatch.setenv("ALL_PROXY", "http://between.test:3128")
    net = Net()
    with pytest.raises(ProtocolError) as caught:
        await net.reach().get(link, {})
    assert "s3cr3t" not in str(caught.value)
    assert net.seen == net.asked == []


async def test_an_address_in_a_link_may_be_public() -> None:
    net = Net()
    await net.reach().get(f"https://{PUBLIC}/x", {})
    assert net.asked == []
    assert net.seen[0].url.host == PUBLIC


@pytest.mark.parametrize(
    ("base", "link"),
    [
        ("http://127.0.0.1:8123", "http://127.0.0.1:8123/store/x"),
        ("http://10.0.0.7/gateway", "http://10.0.0.7:80/x"),
        ("https://inside.example", "https://inside.example:443/x"),
    ],
)
async def test_the_gateways_own_origin_may_be_private_and_plain(base: str, link: str) -> None:
    net = Net()
    await net.reach(base).get(link, {})
    assert len(net.seen) == 1
    assert net.asked == []


@pytest.mark.parametrize(
    "link",
    ["http://127.0.0.1:8124/x", "https://127.0.0.1:8123/x", "http://localhost:8123/x", "http://[::1]:8123/x"],
)
async def test_another_port_scheme_or_name_is_another_origin(link: str) -> None:
    with pytest.raises(ProtocolError):
        await Net().reach("http://127.0.0.1:8123").get(link, {})


# --- proxies ----------------------------------------------------------------------------------


async def test_a_proxy_of_the_environment_looks_names_up_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "between.test:3128")
    monkeypatch.setenv("NO_PROXY", "direct.example")
    net = Net(direct_example=[PUBLIC])
    reach = net.reach("http://127.0.0.1:8123")
    await reach.get(LINK, {})
    await reach.get("https://direct.example/x", {})
    await reach.get("http://127.0.0.1:8123/x", {})
    assert net.made == [("https", "http://between.test:3128"), ("https", None), ("http", None)]
    assert net.asked == ["direct.example:443"]
    assert net.seen[0].url.host == "store.example"


async def test_a_proxy_that_httpx_does_not_speak_to_is_passed_by(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ALL_PROXY", "socks5://between.test:1080")
    net = Net(store_example=[PUBLIC])
    await net.reach().get(LINK, {})
    assert net.made == [("https", None)]


# --- with real connections --------------------------------------------------------------------


async def get(url: str, folder: Path, server: WireServer, **more: Any) -> Any:
    return await download(url, to=folder / "x.png", kind="image", own_origin=server.url, **more)


async def test_redirects_are_followed_and_each_hop_is_checked(
    wire_server: WireServer, tmp_path: Path
) -> None:
    png = b"\x89PNG\r\n\x1a\n" + bytes(100)
    wire_server.script(
        Reply(302, {"Location": "/b?n=1"}),
        Reply(307, {"Location": f"{wire_server.url}/c"}),
        Reply(body=(png,), content_type="image/png"),
    )
    await get(f"{wire_server.url}/a", tmp_path, wire_server)
    assert [request.path for request in wire_server.requests] == ["/a", "/b?n=1", "/c"]
    assert all("Referer" not in request.headers for request in wire_server.requests)


@pytest.mark.parametrize(
    "to", ["https://10.0.0.1/x", "http://169.254.169.254/latest", "https://localhost/x", "file:///etc/passwd"]
)
async def test_a_redirect_inside_is_refused(wire_server: WireServer, tmp_path: Path, to: str) -> None:
    wire_server.script(Reply(302, {"Location": to}))
    with pytest.raises(ProtocolError):
        await get(f"{wire_server.url}/a", tmp_path, wire_server)
    assert list(tmp_path.iterdir()) == []


async def test_a_redirect_to_a_name_that_leads_inside_is_refused(
    wire_server: WireServer, tmp_path: Path
) -> None:
    async def resolve(host: str, port: int) -> Sequence[str]:
        assert (host, port) == ("store.example", 443)
        return ["127.0.0.1"]

    wire_server.script(Reply(302, {"Location": LINK}))
    with pytest.raises(ProtocolError, match="not on the open internet"):
        await get(f"{wire_server.url}/a", tmp_path, wire_server, resolve=resolve)


async def test_endless_redirects_end(wire_server: WireServer, tmp_path: Path) -> None:
    wire_server.script(*[Reply(302, {"Location": "/a"})] * 9, Reply(302))
    with pytest.raises(ProtocolError, match="redirected more than 5 times"):
        await get(f"{wire_server.url}/a", tmp_path, wire_server)
    assert len(wire_server.requests) == 6


async def test_names_of_this_machine_are_looked_up() -> None:
    assert set(await look_up("localhost", 80)) <= {"127.0.0.1", "::1"}


@pytest.mark.parametrize(
    "address", ["192.0.0.8", "192.0.0.170", "192.88.99.1", "3fff::1", "::ffff:192.0.0.8"]
)
def test_what_the_registries_set_aside_is_not_open(address: str) -> None:
    assert not is_public(address)


@pytest.mark.parametrize(
    "link",
    [
        "https://xn--/film.mp4",
        "https://store.example:0/",
        "https://store.example:99999/",
        "https://store.example:-1/",
    ],
)
async def test_a_link_that_leads_nowhere_is_an_error_of_ours(link: str) -> None:
    reach = Reach("https://www.anyfast.ai")
    with pytest.raises(ProtocolError, match="the download link"):
        await reach.get(link, {})
    await reach.close()
