"""A dry run of a whole group: it is ready, says what it is, and the venue never sees an order."""

import pytest

from ops.cli.output import DONE
from tests.processes.group import GroupUnderTest


@pytest.mark.req("EX-21")
def test_group_in_a_dry_run_decides_records_and_posts_nothing(own_group: GroupUnderTest) -> None:
    group = own_group
    text = group.profile.read_text(encoding="utf-8")
    dry = text.replace('mode = "simulation"', 'mode = "simulation"\ndry_run = true')
    assert dry != text
    group.profile.write_text(dry, encoding="utf-8")
    ran = group.up("--wait")
    assert ran.status == DONE, repr(ran)
    assert "DRY RUN" in ran.out
    status = group.command("status", "--json")
    assert status.status == DONE, repr(status)
    assert status.json["dry_run"] is True
    assert "DRY RUN" in group.command("explain").out
    down = group.command("down")
    assert down.status == DONE, repr(down)
    group.venue.read()
    assert list(group.venue.of_kind("post", "refusal")) == []
    requests = [record["path"] for record in group.venue.of_kind("request")]
    assert "/cancel-all" in requests, "cancels are sent as ever"
    assert "/order" not in requests
    rows = group.command("orders", "--all", "--json")
    assert rows.status == DONE, repr(rows)
