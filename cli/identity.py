"""`./run user …` and `./run key …`: who may sign in, as what, and the keys of integrators.

They work on the database, so that the first administrator can be made before anybody can sign in. What they change counts at
once for what is asked anew, and within five seconds everywhere. A password or a key is printed once and kept nowhere.
"""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from cli.api_keys import key_app
from cli.identity_run import BY, Data, at_minute, run, table, told_once
from cli.installation import DATA, Installation
from domain.actors import Grant
from domain.errors import DomainError
from domain.people import Person
from domain.vocabulary import Role
from runtime.logging import configure_logging
from service import user_accounts
from service.passwords import generated
from service.publish_district import Standing
from store import accounts

# A traceback with its values would show passwords.
app = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False, help=__doc__)
user_app = typer.Typer(no_args_is_help=True, help="Who may sign in, and as what.")
app.add_typer(user_app, name="user")
app.add_typer(key_app, name="key")

STAFF = [role for role in Role if role not in (Role.RESIDENT, Role.SYSTEM)]

User = Annotated[str, typer.Argument(help="The user name.")]
RoleAsked = Annotated[Role | None, typer.Option("--role", help="What the person is.")]
Community = Annotated[str | None, typer.Option(help="Where: a community's id; without one, everywhere.")]
Grid = Annotated[str | None, typer.Option(help="Where: a grid's id.")]
Unit = Annotated[str | None, typer.Option(help="For a unit's liaison: the unit's id.")]


# ---- users


@user_app.command("add")
def add_user(
    user: User,
    person: Annotated[str | None, typer.Option(help="Somebody of the district: the person's id.")] = None,
    name: Annotated[str | None, typer.Option(help="Somebody new: their name; needs --role.")] = None,
    role: RoleAsked = None, community: Community = None, grid: Grid = None, unit: Unit = None,
    title: Annotated[list[str] | None, typer.Option(help="For display; may stand there several times.")] = None,
    no_password: Annotated[bool, typer.Option(help="Only the identity provider lets the person in.")] = False,
    data: Data = DATA,
) -> None:  # fmt: skip
    """Let somebody of the district sign in, or somebody new with a role. Prints the password once."""
    if (person is None) == (name is None) or (name is not None and role is None):
        raise typer.BadParameter("give --person ID, or --name NAME with --role ROLE")

    async def work(at: Installation) -> None:
        password = None if no_password else generated()
        if person is not None:
            id = (await at.people.one(person)).id
        else:
            await user_accounts.must_be_free(at.pool, user)
            grant = await _grant(at, role, community, grid, unit)
            standing = Standing(name=name or "", grants=(grant,), titles=tuple(title or ()))
            id = await at.people.add(standing, by=BY, now=at.now())
        await user_accounts.add(at.pool, id, user, password, by=BY, now=at.now())
        typer.echo(f"{user} is {id} and may sign in.", err=True)
        if password is not None:
            told_once("The password", password)

    run(data, work)


async def _grant(
    at: Installation, role: Role | None, community: str | None, grid: str | None, unit: str | None
) -> Grant:
    """A grid says its community. Raises DomainError for places and units that the district does not have."""
    district = (await at.watch.take_over()).district
    assert role is not None
    if role not in STAFF:
        raise DomainError("validation_failed", "Nobody is made this.", allowed=[str(one) for one in STAFF])
    if grid is not None:
        community = community or district.grid(grid).community
    if community is not None:
        district.community(community)
    if unit is not None:
        district.unit(unit)
    return Grant(role=role, community=community, grid=grid, unit=unit)


@user_app.command("role")
def give_role(
    user: User, role: Annotated[Role, typer.Option("--role", help="What the person is, or is not any more.")],
    community: Community = None, grid: Grid = None, unit: Unit = None,
    remove: Annotated[bool, typer.Option("--remove", help="Take the role away.")] = False, data: Data = DATA,
) -> None:  # fmt: skip
    """Give somebody a role in a scope, or take it away."""

    async def work(at: Installation) -> None:
        account = await user_accounts.must_exist(at.pool, user)
        grant = await _grant(at, role, community, grid, unit)
        change = at.people.take_away if remove else at.people.grant
        await change(account.person, grant, by=BY, now=at.now())
        typer.echo(f"{user} is now: {_roles(await at.people.one(account.person))}")

    run(data, work)


@user_app.command("disable")
def disable_user(user: User, data: Data = DATA) -> None:
    """Nobody signs in by this name any more; sessions end, and keys of the person are refused."""

    async def work(at: Installation) -> None:
        account = await user_accounts.must_exist(at.pool, user)
        ended = await user_accounts.disable(at.pool, account, by=BY, now=at.now())
        typer.echo(f"{user} is disabled; {ended} sessions were ended.")
        district = (await at.watch.take_over()).district
        duties = [grid.id for grid in district.grids if account.person in (grid.duty_worker, grid.substitute)]
        duties += [unit.id for unit in district.units if unit.liaison == account.person and unit.retired is None]
        if duties:
            typer.echo(f"Demands still come to this person for: {', '.join(duties)}. Enter leave, or name others.")

    run(data, work)


@user_app.command("enable")
def enable_user(user: User, data: Data = DATA) -> None:
    """The person may sign in again, with the password of before."""

    async def work(at: Installation) -> None:
        await user_accounts.enable(at.pool, await user_accounts.must_exist(at.pool, user), by=BY, now=at.now())
        typer.echo(f"{user} may sign in.")

    run(data, work)


@user_app.command("password")
def new_password(
    user: User, stdin: Annotated[bool, typer.Option("--stdin", help="Read it from standard input.")] = False,
    data: Data = DATA,
) -> None:  # fmt: skip
    """A new password, made and printed once; ends all sessions of the person."""
    given = sys.stdin.readline().rstrip("\n") if stdin else None

    async def work(at: Installation) -> None:
        account, password = await user_accounts.must_exist(at.pool, user), given or generated()
        ended = await user_accounts.set_password(at.pool, at.marks, account, password, by=BY, now=at.now())
        typer.echo(f"{user} has a new password; {ended} sessions were ended.", err=True)
        if given is None:
            told_once("The password", password)

    run(data, work)


@user_app.command("unlink")
def unlink_user(user: User, data: Data = DATA) -> None:
    """Forget who the user is for the identity provider; whom it sends next under this name is pinned anew."""

    async def work(at: Installation) -> None:
        await user_accounts.unlink(at.pool, await user_accounts.must_exist(at.pool, user), by=BY, now=at.now())
        typer.echo(f"{user} is no longer tied to anybody at the identity provider.")

    run(data, work)


@user_app.command("list")
def list_users(data: Data = DATA) -> None:
    """Everybody who may sign in, as what, and when they last did."""

    async def work(at: Installation) -> None:
        people = (await at.watch.take_over()).district.directory.people
        rows = [("user", "person", "state", "last signed in", "roles")]
        for one in await accounts.every(at.pool):
            person = people.get(one.person)
            state = "disabled" if one.disabled_at else "in force" if person else "left the district"
            roles = _roles(person) if person else ""
            rows.append((one.name, one.person, state, at_minute(one.signed_in_at), roles))
        table(rows)

    run(data, work)


def _roles(person: Person) -> str:
    return ", ".join(
        f"{grant.role}@{place}" if (place := grant.unit or grant.grid or grant.community) else str(grant.role)
        for grant in person.grants
    )


if __name__ == "__main__":
    configure_logging("warning")  # to stderr: what a command prints on stdout is for a script
    app(prog_name="./run")
