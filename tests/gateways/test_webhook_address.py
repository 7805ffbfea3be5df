"""Whom a webhook may reach: every way to say "this machine" or "your network" is refused, unless it is allowed."""

from __future__ import annotations

import ipaddress
from collections.abc import Sequence

import pytest

from gateways.webhooks.address import Guard, Refused, Target, by_system, is_public
from runtime.settings import networks_of

PRIVATE = """
127.0.0.1 127.8.9.10 0.0.0.0 10.0.0.1 10.255.255.255 172.16.0.1 172.31.255.255 192.168.0.1 169.254.169.254 169.254.0.1
100.64.0.1 100.100.100.200 168.63.129.16 192.0.0.1 192.0.2.1 198.18.0.1 198.51.100.1 203.0.113.1 224.0.0.1 239.1.1.1
240.0.0.1 255.255.255.255 :: ::1 fe80::1 fe80::1%eth0 fc00::1 fd00:ec2::254 fec0::1 ff02::1 ff0e::1 2001:db8::1
::ffff:127.0.0.1 ::ffff:10.0.0.1 ::ffff:169.254.169.254 ::127.0.0.1 2002:7f00:1:: 2002:a9fe:a9fe:: 64:ff9b::7f00:1
64:ff9b::a9fe:a9fe 64:ff9b:1::1 64:ff9b::808:808 2001:0:0:0:0:0:0:1
""".split()  # noqa: SIM905
PUBLIC = "1.1.1.1 8.8.8.8 114.114.114.114 2606:4700::1111 2400:3200::1".split()  # noqa: SIM905


def resolving(*answers: Sequence[str]) -> tuple[Guard, list[str]]:
    """A guard whose names stand for another address each time they are asked for."""
    asked: list[str] = []

    async def resolve(host: str, port: int) -> Sequence[str]:
        asked.append(host)
        return answers[min(len(asked), len(answers)) - 1]

    return Guard(resolve=resolve), asked


@pytest.mark.parametrize("address", PRIVATE)
async def test_what_only_we_can_reach_is_refused(address: str) -> None:
    assert not is_public(ipaddress.ip_address(address))
    guard, _ = resolving([address])
    with pytest.raises(Refused, match="address_refused"):
        await guard.addresses("receiver.example", 443, encrypted=True)


@pytest.mark.parametrize("address", PUBLIC)
async def test_what_everybody_can_reach_is_not(address: str) -> None:
    guard, _ = resolving([address])
    assert await guard.addresses("receiver.example", 443, encrypted=True) == [address]


async def test_one_unfit_address_among_several_is_enough() -> None:
    guard, _ = resolving(["1.1.1.1", "127.0.0.1"])
    with pytest.raises(Refused, match="address_refused"):
        await guard.addresses("receiver.example", 443, encrypted=True)


@pytest.mark.parametrize(
    "spelling",
    ["2130706433", "0x7f000001", "0177.0.0.1", "127.1", "0x7f.1", "localhost", "0", "017700000001", "127.0.1"],
)
async def test_loopback_in_other_spellings_is_found_out_by_the_system(spelling: str) -> None:
    """What the system makes of it is what counts; a spelling that it does not know leads nowhere."""
    with pytest.raises(Refused, match=r"address_refused|unknown_host"):
        await Guard(resolve=by_system).addresses(spelling, 443, encrypted=True)


async def test_no_address_is_no_receiver() -> None:
    guard, _ = resolving([])
    with pytest.raises(Refused, match="unknown_host"):
        await guard.addresses("receiver.example", 443, encrypted=True)


async def test_plain_http_is_for_allowed_networks_only() -> None:
    guard, _ = resolving(["1.1.1.1"])
    with pytest.raises(Refused, match="not_encrypted"):
        await guard.addresses("receiver.example", 80, encrypted=False)
    allowed = Guard(networks_of("10.3.0.0/16,fd00::/8"))
    for address in ("10.3.4.5", "fd00::1", "::ffff:10.3.4.5"):
        assert await allowed.addresses(address, 80, encrypted=False)
    for address in ("10.4.0.1", "127.0.0.1", "fe80::1"):
        with pytest.raises(Refused, match="address_refused"):
            await allowed.addresses(address, 443, encrypted=True)


def test_a_url_is_taken_apart() -> None:
    assert Target.of("https://a.example/x/y?z=1") == Target("a.example", 443, "/x/y?z=1", True)
    assert Target.of("http://[::1]:8080") == Target("::1", 8080, "/", False)
    assert Target.of("https://A.Example:8443/").host == "a.example"


@pytest.mark.parametrize(
    ("url", "code"),
    [
        ("ftp://a.example/", "not_http"), ("file:///etc/passwd", "not_http"), ("gopher://a.example/", "not_http"),
        ("//a.example/", "not_http"), ("a.example", "not_http"), ("", "not_http"), ("https://", "not_a_url"),
        ("https://user:pw@a.example/", "has_user"), ("https://a.example@127.0.0.1/", "has_user"),
        ("https://a.example/#x", "has_fragment"), ("https://a.example:0/", "not_a_url"),
        ("https://a.example:99999/", "not_a_url"), ("https://a.example:x/", "not_a_url"),
        ("https://a b.example/", "not_a_url"), ("https://a.example/\r\nHost: b", "not_a_url"),
        ("https://a.example\\@127.0.0.1/", "not_a_url"), ("https://bücher.example/", "not_a_url"),
        ("https://[::1/", "not_a_url"), ("https://a.example/" + "x" * 2_000, "not_a_url"),
        ("https://a.exa%6dple/", "not_a_url"), ("https://[fe80::1%25eth0]/", "not_a_url"),
    ],
)  # fmt: skip
def test_what_is_not_a_receivers_url_is_refused(url: str, code: str) -> None:
    with pytest.raises(Refused, match=code):
        Target.of(url)
