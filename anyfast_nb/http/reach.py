"""Where a download may lead: https to public addresses, and the gateway's own origin. Nowhere else.

A link comes from a server's reply, so it is not trusted: a name is looked up
once, every address is checked, and the connection goes to a checked address. A
name that answers differently the next time (DNS rebinding) gains nothing. The
certificate is verified against the name all the same. No key, cookie or referrer goes along.

Behind a proxy of the environment the proxy looks names up; addresses in links are checked still.

Source: the IANA registries of special-purpose addresses; wire reference 1 (no key to a file store).
"""

from __future__ import annotations

import asyncio
import ipaddress
import re
import socket
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from anyfast_nb._version import __version__
from anyfast_nb.errors import Billed, ConnectFailed, ProtocolError
from anyfast_nb.http.failures import translated
from anyfast_nb.http.redact import redact
from anyfast_nb.settings import is_loopback

if TYPE_CHECKING:
    import httpx

Resolve = Callable[[str, int], Awaitable[Sequence[str]]]
_PORTS: Final = {"http": 80, "https": 443}
_MOST_ADDRESSES: Final = 4  # tried one after the other
# An address in any spelling: ":" of IPv6, and 127.1, 0x7f.1 or 2130706433, which name look-up understands.
_NUMBERS: Final = re.compile(r".*:.*|(?:0x[0-9a-f]+|\d+)(?:\.(?:0x[0-9a-f]+|\d+))*\.?", re.IGNORECASE)
_ALLOCATED: Final = ipaddress.ip_network("2000::/3")  # all that is routed of IPv6
_NOT_ROUTED: Final = tuple(  # by the registries, which the standard library followed late
    map(ipaddress.ip_network, ("192.0.0.0/24", "192.88.99.0/24", "3fff::/20"))
)
_NAT64: Final = ipaddress.ip_network("64:ff9b::/96")


@dataclass(frozen=True, slots=True)
class Waits:
    """Time limits of one connection, in seconds."""

    connect_s: float = 15.0
    idle_s: float = 60.0

    def extension(self) -> dict[str, float]:
        """As httpx wants them."""
        return {
            "connect": self.connect_s, "pool": self.connect_s, "read": self.idle_s, "write": self.idle_s,
        }  # fmt: skip


async def look_up(host: str, port: int) -> Sequence[str]:
    """The addresses of a name."""
    found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(address[4][0]) for address in found))


def is_public(address: str) -> bool:
    """Is this an address of the open internet? Those inside an IPv6 address count too."""
    try:
        found = ipaddress.ip_address(address)
    except ValueError:
        return False
    if not isinstance(found, ipaddress.IPv6Address):
        return _is_open(found)
    if found.ipv4_mapped is not None:
        return _is_open(found.ipv4_mapped)
    if found in _NAT64:
        return _is_open(ipaddress.IPv4Address(int(found) & 0xFFFF_FFFF))
    inner = [found.sixtofour, *(found.teredo or ())]
    return found in _ALLOCATED and _is_open(found) and all(one is None or _is_open(one) for one in inner)


def _is_open(address: ipaddress.IPv4Address | ipaddress.IPv6Address) -> bool:
    return (
        address.is_global
        and not address.is_multicast
        and not any(address.version == net.version and address in net for net in _NOT_ROUTED)
    )


class Reach:
    """Sends GETs to links, within the rules above.

    Args:
        own_origin: the gateway's base URL: its origin alone may be plain http or private.
        waits: time limits.
        resolve: names to addresses.
        connect: makes the httpx transport that a request goes through.
    """

    def __init__(
        self,
        own_origin: str,
        *,
        waits: Waits | None = None,
        resolve: Resolve = look_up,
        connect: Callable[..., httpx.AsyncBaseTransport] | None = None,
    ) -> None:
        import httpx

        self._own = _origin(httpx.URL(own_origin))
        self._waits = waits or Waits()
        self._resolve = resolve
        self._connect = connect or _new_transport
        self._made: dict[str, httpx.AsyncBaseTransport] = {}

    async def get(self, url: str, headers: Mapping[str, str]) -> httpx.Response:
        """One GET, not redirected; the caller closes the response.

        Raises:
            ProtocolError: the link leads where no download goes; nothing was sent.
            WireError: the network failed.
        """
        target = self._checked(url)
        with translated(f"{target.scheme}://{target.netloc.decode()}", bills=False):
            if _origin(target) == self._own:
                proxy = None if is_loopback(target.host) else _proxy_for(target)
                return await self._send(target, target, headers, proxy)
            if proxy := _proxy_for(target):
                return await self._send(target, target, headers, proxy)
        return await self._first_that_answers(target, headers)

    async def close(self) -> None:
        """Close all connections."""
        made, self._made = self._made, {}
        for transport in made.values():
            await transport.aclose()

    def _checked(self, url: str) -> httpx.URL:
        import httpx

        try:
            target = httpx.URL(url)
            host = redact(target.host)
        except (httpx.InvalidURL, UnicodeError, TypeError):
            raise _refused("the download link is no URL") from None
        if target.port is not None and not 0 < target.port < 1 << 16:
            raise _refused("the download link has a port that there is not")
        if target.scheme not in _PORTS or not host or target.userinfo:
            raise _refused("the download link is no plain http(s) address")
        if _origin(target) == self._own:
            return target
        if target.scheme != "https":
            raise _refused(f"the download link leads to {host} over plain http")
        if is_loopback(host.rstrip(".")) or (_NUMBERS.fullmatch(target.host) and not is_public(target.host)):
            raise _private(host)
        return target

    async def _first_that_answers(self, target: httpx.URL, headers: Mapping[str, str]) -> httpx.Response:
        addresses = await self._addresses(target)
        failure: ConnectFailed | None = None
        for address in addresses[:_MOST_ADDRESSES]:
            try:
                with translated(f"{target.scheme}://{target.host}", bills=False):
                    return await self._send(target, target.copy_with(host=address), headers, None)
            except ConnectFailed as error:
                failure = error
        assert failure is not None
        raise failure

    async def _addresses(self, target: httpx.URL) -> Sequence[str]:
        if _is_address(target.host):
            return [target.host]
        try:
            found = await self._resolve(target.host, target.port or 443)
        except (OSError, UnicodeError):
            found = []
        if not found:
            raise ConnectFailed(
                f"no connection to {redact(target.host)} (the name is not known); nothing was sent",
                hint="Check the network: `%anyfast doctor`.",
            )
        if not all(map(is_public, found)):  # one bad address among good ones is a trap as well
            raise _private(redact(target.host))
        return found

    async def _send(
        self, named: httpx.URL, to: httpx.URL, headers: Mapping[str, str], proxy: str | None
    ) -> httpx.Response:
        import httpx

        host = named.netloc.decode("ascii")
        request = httpx.Request(
            "GET",
            to,
            headers={"Host": host, "User-Agent": f"anyfast-nb/{__version__}", "Accept": "*/*", **headers},
            extensions={"timeout": self._waits.extension(), "sni_hostname": named.raw_host.decode("ascii")},
        )
        transport = self._transport(named.scheme, proxy)
        response = await transport.handle_async_request(request)
        response.request = request
        return response

    def _transport(self, scheme: str, proxy: str | None) -> httpx.AsyncBaseTransport:
        key = f"{scheme} {proxy}"
        if key not in self._made:
            self._made[key] = self._connect(scheme, proxy)
        return self._made[key]


def _new_transport(scheme: str, proxy: str | None) -> httpx.AsyncBaseTransport:
    import httpx

    verify: Any = None if scheme == "http" and proxy is None else True  # no TLS context that nobody needs
    return httpx.AsyncHTTPTransport(verify=verify, proxy=proxy)


def _proxy_for(target: httpx.URL) -> str | None:
    """The environment's proxy for a link, if it has one that counts there."""
    import urllib.request  # slow to load

    proxies = urllib.request.getproxies()
    proxy = proxies.get(target.scheme) or proxies.get("all")
    if not proxy or urllib.request.proxy_bypass(target.host):
        return None
    proxy = proxy if "://" in proxy else f"http://{proxy}"
    return proxy if proxy.lower().startswith(("http://", "https://")) else None


def _origin(url: httpx.URL) -> tuple[str, str, int | None]:
    return url.scheme, url.host, url.port or _PORTS.get(url.scheme)


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


def _private(host: str) -> ProtocolError:
    return _refused(f"the download link leads to {host}, which is not on the open internet")


def _refused(what: str) -> ProtocolError:
    error = ProtocolError(what, hint="It was not followed. Is the base URL an AnyFast gateway?")
    error.sent, error.billed = False, Billed.NO
    return error
