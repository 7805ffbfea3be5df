"""The account of units' tasks: exact, never negative, and back where it was when everything is given back."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from domain.capacity import Account

UNITS = st.sampled_from(["u1", "u2", "u3"])
NUMBERS = st.sampled_from([f"n{n}" for n in range(6)])
TASKS = st.lists(st.tuples(UNITS, NUMBERS), max_size=30)
COUNTED = st.dictionaries(UNITS, st.integers(0, 5))


class AccountMachine(RuleBasedStateMachine):
    """Against a set of tasks, which is what an account means."""

    def __init__(self) -> None:
        super().__init__()
        self.account = Account({"u1": 2})
        self.tasks: set[tuple[str, str]] = set()

    @rule(unit=UNITS, number=NUMBERS)
    def take(self, unit: str, number: str) -> None:
        self.account.take(unit, number)
        self.tasks.add((unit, number))

    @rule(unit=UNITS, number=NUMBERS)
    def give_back(self, unit: str, number: str) -> None:
        self.account.give_back(unit, number)
        self.tasks.discard((unit, number))

    @rule(lead=UNITS, other=UNITS, number=NUMBERS)
    def pass_on(self, lead: str, other: str, number: str) -> None:
        """A refusal: the next unit has it, and the one before is as free as it was."""
        self.give_back(lead, number)
        self.take(other, number)

    @invariant()
    def every_load_is_the_number_of_its_tasks(self) -> None:
        for unit in ("u1", "u2", "u3"):
            counted = 2 if unit == "u1" else 0
            load = counted + sum(u == unit for u, _ in self.tasks)
            assert self.account.load(unit) == self.account.loads.get(unit, 0) == load
            assert [self.account.free(unit, n) for n in (load - 1, load, load + 1)] == [0, 0, 1]

    @invariant()
    def nothing_is_kept_of_what_has_nothing(self) -> None:
        assert all(load > 0 for load in self.account.loads.values())


TestAccount = AccountMachine.TestCase


@given(COUNTED, TASKS)
def test_it_returns_to_its_start_when_everything_is_given_back(
    counted: dict[str, int], tasks: list[tuple[str, str]]
) -> None:
    account = Account(counted)
    start = dict(account.loads)
    for unit, number in tasks:
        account.take(unit, number)
    for unit, number in reversed(tasks):
        account.give_back(unit, number)
    assert account.loads == start


@given(TASKS)
def test_rows_said_twice_count_once(tasks: list[tuple[str, str]]) -> None:
    assert Account.of(tasks + tasks).loads == Account.of(set(tasks)).loads


def test_what_somebody_else_counted_cannot_be_given_back() -> None:
    account = Account({"u": 1, "none": 0})
    account.give_back("u", "n1")
    assert account.loads == {"u": 1}


def test_more_than_its_capacity_leaves_no_room_and_no_debt() -> None:
    account = Account.of([("u", "n1"), ("u", "n2"), ("u", "n3")])
    assert account.free("u", 2) == 0
    account.give_back("u", "n1")
    assert account.free("u", 2) == 0
    account.give_back("u", "n2")
    assert account.free("u", 2) == 1
