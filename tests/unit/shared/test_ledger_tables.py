"""A ledger that was migrated has the very tables of a new one."""

import sqlite3

import pytest

from shared.ledger_tables import MIGRATIONS, SCHEMA_VERSION, TABLES
from tests.builders.ledger_versions import TABLES_2

OLD_TABLES = {2: TABLES_2}


def form_of(database: sqlite3.Connection) -> dict[str, set[tuple[object, ...]]]:
    """Return the columns of each table and index: name, type, whether null, default, key."""
    names = database.execute("SELECT type, name FROM sqlite_schema").fetchall()
    return {
        f"{kind} {name}": {
            row[1:] if kind == "table" else row
            for row in database.execute(
                f"PRAGMA {'table' if kind == 'table' else 'index'}_info({name})"
            )
        }
        for kind, name in names
    }


def indexes_of(database: sqlite3.Connection) -> set[str]:
    query = "SELECT sql FROM sqlite_schema WHERE type = 'index' AND sql IS NOT NULL"
    return {row[0] for row in database.execute(query)}


@pytest.mark.parametrize("version", list(MIGRATIONS))
def test_migrated_tables_are_those_of_a_new_ledger(version: int) -> None:
    old, new = sqlite3.connect(":memory:"), sqlite3.connect(":memory:")
    old.executescript(OLD_TABLES[version])
    new.executescript(TABLES)
    for step in range(version, SCHEMA_VERSION):
        for statement in MIGRATIONS[step]:
            old.execute(statement)
    assert form_of(old) == form_of(new)
    assert indexes_of(old) == indexes_of(new)
    old.close()
    new.close()


def test_every_version_has_a_way_to_the_newest() -> None:
    assert set(MIGRATIONS) == set(range(min(MIGRATIONS), SCHEMA_VERSION))
