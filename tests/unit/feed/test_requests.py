from services.feed.requests import Reads
from tests.builders.feeds import at


def test_read_has_a_number_a_deadline_and_a_purpose() -> None:
    reads: Reads[str] = Reads(deadline_ns=5)
    first = reads.ask("/a", "one", at(0))
    second = reads.ask("/b", "two", at(0), authenticated=True)
    assert first.request_id != second.request_id
    assert (first.method, first.lane, first.authenticated) == ("GET", "read", False)
    assert second.authenticated
    assert first.deadline_ns == at(0).boot_ns + 5
    assert reads.purposes() == ("one", "two")
    assert reads.finish(second.request_id) == "two"
    assert reads.finish(second.request_id) is None


def test_reads_are_full_at_their_bound() -> None:
    reads: Reads[str] = Reads(deadline_ns=5, in_flight_max=2)
    reads.ask("/a", "one", at(0))
    found = [reads.is_full]
    request = reads.ask("/b", "two", at(0))
    found.append(reads.is_full)
    reads.finish(request.request_id)
    assert [*found, reads.is_full] == [False, True, False]


def test_reads_that_were_given_up_have_no_purpose() -> None:
    reads: Reads[str] = Reads(deadline_ns=5)
    request = reads.ask("/a", "one", at(0))
    reads.give_up()
    assert reads.finish(request.request_id) is None
