"""When a delivery is tried again and given up, and when a whole channel rests: pure, over every order of events."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.addresses import check_address, wire_mailbox
from domain.delivery import (
    CHANNELS_OWN,
    DELIVERED,
    ENOUGH_SUSPECTS,
    JITTER,
    MOST_TRIES,
    NOBODY_WAS_ASKED,
    OUTAGE_LIMIT,
    PAUSES,
    PROBES,
    Circuit,
    Outcome,
    Reason,
    State,
    refused,
    try_again,
    verdict,
)
from domain.errors import DomainError

NOW = datetime(2026, 11, 16, 4, tzinfo=UTC)
BUSY, DOWN = try_again(Reason.BUSY), try_again(Reason.UNREACHABLE)
CHANCES = st.floats(0, 1, exclude_max=True)


def said(
    outcome: Outcome,
    tried: int = 0,
    circuit: Circuit | None = None,
    chance: float = 0.0,
    waited: timedelta = timedelta(0),
) -> Any:
    return verdict(
        outcome, tried=tried, waiting_since=NOW - waited, circuit=circuit or Circuit(), now=NOW, chance=chance
    )  # fmt: skip


def test_ten_tries_in_about_a_day_each_pause_longer_than_the_one_before() -> None:
    assert MOST_TRIES == 10 and list(PAUSES) == sorted(set(PAUSES))
    whole = sum(PAUSES, timedelta(0))
    assert timedelta(hours=20) < whole and whole * (1 + JITTER) < timedelta(hours=30)


@given(tried=st.integers(0, MOST_TRIES + 3), chance=CHANCES)
def test_a_try_of_the_recipients_is_used_up_until_none_is_left(tried: int, chance: float) -> None:
    found = said(BUSY, tried, chance=chance)
    assert found.tried == tried + 1
    if tried + 1 >= MOST_TRIES:
        assert (found.state, found.reason) == (State.DEAD, Reason.BUSY)
    else:
        assert found.state is State.FAILED
        assert PAUSES[tried] <= found.next_at - NOW <= PAUSES[tried] * (1 + JITTER)


@given(tried=st.integers(0, MOST_TRIES - 1), reason=st.sampled_from(sorted(CHANNELS_OWN)))
def test_an_outage_uses_up_no_try_and_ends_after_two_days(tried: int, reason: Reason) -> None:
    found = said(try_again(reason), tried)
    assert (found.state, found.tried, found.next_at) == (State.FAILED, tried, NOW)
    resting = Circuit().after(DOWN, "a", NOW, 0.0)
    assert said(BUSY, tried, resting).tried == tried, "while it rests, nobody is to blame"
    assert said(try_again(reason), tried, waited=OUTAGE_LIMIT).reason is Reason.CHANNEL_DOWN


@pytest.mark.parametrize("reason", [Reason.REFUSED_RECIPIENT, Reason.INVALID_ADDRESS, Reason.NOT_CONFIGURED])
def test_what_is_refused_for_good_is_dead_at_once(reason: Reason) -> None:
    assert (said(refused(reason)).state, said(refused(reason)).reason) == (State.DEAD, reason)
    assert said(DELIVERED).state is State.DELIVERED


def test_a_channel_that_is_away_rests_at_once_and_is_probed_ever_more_seldom() -> None:
    circuit, at, pauses = Circuit().after(DOWN, "a", NOW, 0.0), NOW, []
    assert circuit.down_since == NOW and not circuit.may_send(NOW)
    for _ in range(8):
        assert circuit.probe_at is not None
        pauses.append(circuit.probe_at - at)
        at = circuit.probe_at
        assert circuit.may_send(at)
        under_way = circuit.probing(at + timedelta(minutes=3))
        assert not under_way.may_send(at + timedelta(minutes=2)), "one probe at a time"
        circuit = under_way.after(DOWN, "b", at, 0.0, probe=True)
    assert pauses == [*PROBES, *[PROBES[-1]] * 3] and circuit.down_since == NOW
    assert circuit.after(DELIVERED, "c", at, 0.0, probe=True) == Circuit()
    assert circuit.after(refused(Reason.REFUSED_RECIPIENT), "c", at, 0.0, probe=True) == Circuit(), "it answers again"


def test_what_was_under_way_when_it_began_to_rest_puts_no_probe_off() -> None:
    resting = Circuit().after(DOWN, "a", NOW, 0.0)
    assert resting.after(DOWN, "b", NOW, 0.0) == resting.after(BUSY, "c", NOW, 0.0) == resting


@given(st.lists(st.integers(0, ENOUGH_SUSPECTS - 2), max_size=40))
def test_few_recipients_in_trouble_never_shut_a_channel(lanes: list[int]) -> None:
    circuit = Circuit()
    for lane in lanes:
        circuit = circuit.after(BUSY, f"p{lane}", NOW, 0.0)
    assert not circuit.rests


def test_several_recipients_failing_in_a_row_are_the_channels_trouble() -> None:
    circuit = Circuit()
    for lane in range(ENOUGH_SUSPECTS):
        assert not circuit.rests
        circuit = circuit.after(BUSY, f"p{lane}", NOW, 0.0)
    assert circuit.rests
    circuit = Circuit()
    for lane in range(3 * ENOUGH_SUSPECTS):
        circuit = circuit.after(BUSY, f"p{lane}", NOW, 0.0)
        circuit = circuit if lane % 3 else circuit.after(DELIVERED, "well", NOW, 0.0)
    assert not circuit.rests, "something got through in between"


@pytest.mark.parametrize("reason", sorted(NOBODY_WAS_ASKED))
def test_our_own_faults_say_nothing_of_a_channel(reason: Reason) -> None:
    resting = Circuit().after(DOWN, "a", NOW, 0.0)
    for outcome in (refused(reason), try_again(reason)):
        assert Circuit().after(outcome, "a", NOW, 0.0) == Circuit()
        probed = resting.after(outcome, "a", NOW, 0.0, probe=True)
        assert probed.rests and probed.may_send(NOW), "the next one probes at once"


@pytest.mark.parametrize(
    ("channel", "address"),
    [("email", "zhong.gf+x@mail.example.cn"), ("sms", "13900001234"), ("sms", "+8613900001234"), ("wecom", "a b/c?d")],
)
def test_addresses_that_a_channel_takes(channel: str, address: str) -> None:
    check_address(channel, address)


@pytest.mark.parametrize(
    ("channel", "address"),
    [("email", "zhong"), ("email", "a@b\n.cn"), ("sms", "139-0000"), ("sms", "1390000123４"), ("apprise", ""),
     ("apprise", "a\nb"), ("apprise", "x" * 201), ("feishu", " a")],
)  # fmt: skip
def test_an_address_that_is_none_is_refused_without_being_repeated(channel: str, address: str) -> None:
    with pytest.raises(DomainError) as refusal:
        check_address(channel, address)
    assert refusal.value.code == "contact_invalid" and (not address or address not in str(refusal.value))


@given(st.text(max_size=80))
def test_a_mailbox_on_the_wire_is_one_plain_word(text: str) -> None:
    try:
        wire = wire_mailbox(f"a@{text}")
    except DomainError:
        return
    assert wire.isascii() and wire.isprintable() and not set(wire) & set(' <>,;:"\\()[]') and wire.count("@") == 1
