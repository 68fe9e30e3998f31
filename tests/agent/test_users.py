"""Users and tokens in the record: let in, let out, and never in clear."""

import io
import json
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import select, text

from agent import schema
from agent.__main__ import main
from agent.audit import Author, change
from agent.files import main_path
from agent.making import change_or_make
from agent.users.error import UserError
from agent.users.people import add_person, checked, people, remove_person, set_password, set_role
from agent.users.secret import digest
from agent.users.tokens import add_token, find_token, revoke_token
from agent.users.visits import Terms, begin_visit, end_old_visits, end_visit, find_visit
from tests.agent.makers import at

GOOD = "a sentence about molds"

BY = Author(who="installer", at=at(0))


@pytest.fixture
def url(tmp_path: Path) -> str:
    """A record with an admin and a viewer."""
    url = f"sqlite:///{tmp_path}/plant.db"
    with change_or_make(url) as connection:
        add_person(connection, BY, "M. Ortiz", "admin", GOOD)
        add_person(connection, BY, "D. Braun", "viewer", f"{GOOD}, too")
    return url


def test_a_password_lets_in_whose_it_is_and_nobody_else(url: str) -> None:
    with change(url) as connection:
        found = checked(connection, "M. Ortiz", GOOD)
        assert found is not None
        assert found.role == "admin"
        for name, password in (
            ("M. Ortiz", f"{GOOD}, too"),
            ("m. ortiz", GOOD),
            ("nobody", GOOD),
            ("", ""),
            ("M. Ortiz", "x" * 100_000),
            ("M. Ortiz", "\0\ud800"),
        ):
            assert checked(connection, name, password) is None, name


def test_no_password_and_no_token_stands_in_the_record_in_clear(url: str) -> None:
    with change(url) as connection:
        admin = people(connection)[1]
        visit = begin_visit(connection, BY, admin, wall=False)
        _token, secret = add_token(connection, BY, "grafana", "viewer", at(100))
        connection.execute(text("SELECT 1"))
    folder = main_path(url).parent
    lying = b"".join(file.read_bytes() for file in folder.glob("plant.db*"))

    assert b"$argon2id$" in lying
    for clear in (GOOD, visit, secret):
        assert clear.encode() not in lying


@pytest.mark.parametrize(
    ("name", "role", "password", "says"),
    [
        ("d. braun", "viewer", GOOD, "called 'D. Braun' already"),
        ("", "viewer", GOOD, "printable letters"),
        ("a\u202eb", "viewer", GOOD, "printable letters"),
        ("x" * 65, "viewer", GOOD, "printable letters"),
        ("S. Vogel", "boss", GOOD, "viewer, maintenance, qa, admin"),
        ("S. Vogel", "qa", "short", "10 to 1024 letters; this one 5"),
        ("S. Vogel", "qa", "aaaaaaaaaaaa", "guessed"),
        ("Sabine Vogel", "qa", "sabine vogel", "guessed"),
    ],
)
def test_who_can_not_be_let_in_is_told_why(
    url: str, name: str, role: str, password: str, says: str
) -> None:
    with pytest.raises(UserError, match=says), change(url) as connection:
        add_person(connection, BY, name, role, password)


def test_there_is_always_somebody_who_can_add_others(url: str, tmp_path: Path) -> None:
    with pytest.raises(UserError, match="only admin"), change(url) as connection:
        remove_person(connection, BY, "M. Ortiz")
    with pytest.raises(UserError, match="only admin"), change(url) as connection:
        set_role(connection, BY, "M. Ortiz", "qa")
    other = f"sqlite:///{tmp_path}/other.db"
    with pytest.raises(UserError, match="first user"), change_or_make(other) as connection:
        add_person(connection, BY, "D. Braun", "viewer", GOOD)

    with change(url) as connection:
        remove_person(connection, BY, "D. Braun")
        remove_person(connection, BY, "M. Ortiz")
        assert people(connection) == []


def test_a_visit_ends_when_idle_and_at_the_latest_after_a_shift(url: str) -> None:
    terms = Terms(idle=timedelta(minutes=30), most=timedelta(hours=8))
    with change(url) as connection:
        who = people(connection)[0]
        token = begin_visit(connection, BY, who, wall=False)
        wall = begin_visit(connection, BY, who, wall=True)
        minutes = 60

        assert find_visit(connection, token, at(29 * minutes), terms) is not None
        assert find_visit(connection, token, at(31 * minutes), terms) is None
        assert find_visit(connection, token, at(9 * 3600), Terms(idle=terms.most * 9)) is not None
        assert find_visit(connection, "other", at(1), terms) is None
        assert find_visit(connection, wall, at(300 * 86400), terms) is not None
        assert find_visit(connection, wall, at(401 * 86400), terms) is None

        end_old_visits(connection, at(31 * minutes), terms)
        assert find_visit(connection, token, at(1), terms) is None
        assert find_visit(connection, wall, at(1), terms) is not None
        end_visit(connection, BY, wall)
        assert find_visit(connection, wall, at(1), terms) is None


def test_another_password_logs_out_everywhere_but_here(url: str) -> None:
    with change(url) as connection:
        who = people(connection)[0]
        here, there = (begin_visit(connection, BY, who, wall=False) for _ in range(2))
        set_password(connection, BY, who.name, "another long sentence", stays=digest(here))

        assert find_visit(connection, here, at(1), Terms()) is not None
        assert find_visit(connection, there, at(1), Terms()) is None
        assert checked(connection, who.name, f"{GOOD}, too") is None


def test_a_token_is_good_until_its_end_or_until_it_is_revoked(url: str) -> None:
    with change(url) as connection:
        _found, secret = add_token(connection, BY, "grafana", "metrics", at(100))
        _other, gone = add_token(connection, BY, "old", "qa", at(100))
        revoke_token(connection, BY, "old")

        assert find_token(connection, secret, at(99)) is not None
        assert find_token(connection, secret, at(100)) is None
        assert find_token(connection, gone, at(1)) is None
        for wrong in ({"scope": "boss"}, {"name": "grafana"}, {"until": at(0)}, {"name": ""}):
            fields = {"name": "new", "scope": "qa", "until": at(9)} | wrong
            with pytest.raises(UserError):
                add_token(connection, BY, **fields)  # type: ignore[arg-type]


def test_users_and_tokens_are_kept_from_the_command_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    record = f"sqlite:///{tmp_path}/new.db"

    def says(*words: str, stdin: str = "") -> str:
        monkeypatch.setattr("sys.stdin", io.StringIO(stdin))
        assert main([*words, "--record", record]) == 0
        return capsys.readouterr().out

    says("users", "add", "M. Ortiz", "--role", "admin", stdin=f"{GOOD}\n")
    says("users", "add", "D. Braun", stdin="another sentence\n")
    says("users", "role", "D. Braun", "qa")
    says("users", "passwd", "D. Braun", stdin="yet another sentence\n")
    listed = [json.loads(line) for line in says("users", "--format", "json").splitlines()]
    assert [(each["name"], each["role"]) for each in listed] == [
        ("D. Braun", "qa"),
        ("M. Ortiz", "admin"),
    ]
    secret = says("tokens", "add", "grafana", "--scope", "metrics", "--for", "90d").strip()
    says("tokens", "revoke", "grafana")
    (token,) = (json.loads(line) for line in says("tokens", "--format", "json").splitlines())
    assert (token["name"], token["scope"], token["state"]) == ("grafana", "metrics", "revoked")
    assert secret.startswith("sprue_")
    assert secret not in says("tokens")
    assert "only this computer" not in says("users", "remove", "D. Braun")
    assert "only this computer" in says("users", "remove", "M. Ortiz")
    with change(record) as connection:
        rows = connection.execute(select(schema.audit).order_by(schema.audit.c.id)).all()
    assert [(row.action, row.kind, row.subject) for row in rows] == [
        ("add", "user", "M. Ortiz"),
        ("add", "user", "D. Braun"),
        ("role", "user", "D. Braun"),
        ("password", "user", "D. Braun"),
        ("add", "token", "grafana"),
        ("revoke", "token", "grafana"),
        ("remove", "user", "D. Braun"),
        ("remove", "user", "M. Ortiz"),
    ]
    assert GOOD not in "".join(str(row) for row in rows)


def test_what_can_not_be_done_is_a_sentence(
    url: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO("short\n"))
    assert main(["users", "add", "S. Vogel", "--record", url]) == 1
    assert "10 to 1024 letters" in capsys.readouterr().err
    assert main(["users", "remove", "nobody", "--record", url]) == 1
    assert "no user is called 'nobody'" in capsys.readouterr().err
