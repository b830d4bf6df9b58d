"""Asking a name server directly, over UDP and, where the answer is cut, over TCP.

Used beside the loop, in the thread of a look-up: it waits. The message format is dnspython's; the
sockets are ours, so that each server has one deadline whatever drips in. What does not answer
this very question is passed over, as RFC 5452 asks. A failure is a
`NameFault`, whose text says what each server said.
"""

import socket
import struct
from collections.abc import Sequence

import dns.exception
import dns.flags
import dns.message
import dns.rcode

from bus import clock
from bus.connection import Address
from bus.name_book import NameFault
from shared.units import NS_PER_S, MonotonicNs

DATAGRAM_BYTES_MAX = 65_535
LENGTH_BYTES = 2
"""Before each message over TCP. Source: RFC 1035, section 4.2.2."""

FAMILIES = (("A", socket.AF_INET), ("AAAA", socket.AF_INET6))
"""Asked in this order; the second only where the first has none."""


class NameServers:
    """The name servers of a profile, asked in order."""

    def __init__(self, servers: Sequence[tuple[str, int]], server_ns_max: int) -> None:
        """Set whom to ask.

        Args:
            servers: Address and port of each.
            server_ns_max: For one server, both address families and TCP included.
        """
        self._servers = tuple(servers)
        self._server_ns_max = server_ns_max

    def look_up(self, host: str, port: int) -> tuple[Address, ...]:
        """Return the addresses of the first server that gives any; waits.

        Raises:
            NameFault: None gave any.
        """
        said = []
        for server in self._servers:
            until_ns = MonotonicNs(clock.read().monotonic_ns + self._server_ns_max)
            try:
                found = _addresses(server, host, port, until_ns)
            except TimeoutError:
                said.append(f"{server[0]}: no answer")
            except OSError as error:
                said.append(f"{server[0]}: {error.strerror or error}")
            except (NameFault, dns.exception.DNSException) as fault:
                said.append(f"{server[0]}: {fault}")
            else:
                if found:
                    return found
                said.append(f"{server[0]}: no address")
        raise NameFault("; ".join(said) or "no name server")


def _addresses(
    server: tuple[str, int], host: str, port: int, until_ns: MonotonicNs
) -> tuple[Address, ...]:
    """Return what one server says of a name, empty when the name has no address.

    Raises:
        NameFault: It refuses, or knows no such name.
        dns.exception.DNSException: It says what makes no sense, or the host is no name.
        TimeoutError: It says nothing of use in time.
        OSError: It cannot be reached.
    """
    for kind, family in FAMILIES:
        question = dns.message.make_query(host, kind)
        answer = _ask_datagram(server, question, until_ns)
        if answer.flags & dns.flags.TC:
            answer = _ask_stream(server, question, until_ns)
        if answer.rcode() != dns.rcode.NOERROR:
            raise NameFault(dns.rcode.to_text(answer.rcode()))
        assert isinstance(answer, dns.message.QueryMessage), "the answer to a query is one"
        rows = answer.resolve_chaining().answer
        if rows:
            return tuple(Address(int(family), (row.to_text(), port)) for row in rows)
    return ()


def _ask_datagram(
    server: tuple[str, int], question: dns.message.Message, until_ns: MonotonicNs
) -> dns.message.Message:
    with socket.socket(_family(server), socket.SOCK_DGRAM) as link:
        link.connect(server)
        link.send(question.to_wire())
        while True:
            link.settimeout(_left_s(until_ns))
            content = link.recv(DATAGRAM_BYTES_MAX)
            try:
                answer = dns.message.from_wire(content, ignore_trailing=True)
            except dns.exception.DNSException:
                continue  # not what a server says; the true answer may still come
            if question.is_response(answer):
                return answer


def _ask_stream(
    server: tuple[str, int], question: dns.message.Message, until_ns: MonotonicNs
) -> dns.message.Message:
    with socket.socket(_family(server), socket.SOCK_STREAM) as link:
        link.settimeout(_left_s(until_ns))
        link.connect(server)
        content = question.to_wire()
        link.sendall(struct.pack("!H", len(content)) + content)
        (length,) = struct.unpack("!H", _read_exactly(link, LENGTH_BYTES, until_ns))
        answer = dns.message.from_wire(_read_exactly(link, length, until_ns))
        if not question.is_response(answer):
            raise NameFault("an answer to another question")
        return answer


def _read_exactly(link: socket.socket, size: int, until_ns: MonotonicNs) -> bytes:
    content = bytearray()
    while len(content) < size:
        link.settimeout(_left_s(until_ns))
        arrived = link.recv(size - len(content))
        if not arrived:
            raise NameFault("closed in its answer")
        content += arrived
    return bytes(content)


def _left_s(until_ns: MonotonicNs) -> float:
    """Return what is left of a deadline.

    Raises:
        TimeoutError: Nothing is.
    """
    left_ns = until_ns - clock.read().monotonic_ns
    if left_ns <= 0:
        raise TimeoutError
    return left_ns / NS_PER_S


def _family(server: tuple[str, int]) -> socket.AddressFamily:
    return socket.AF_INET6 if ":" in server[0] else socket.AF_INET
