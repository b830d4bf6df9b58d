"""A real name server on loopback, UDP and TCP, whose habits a test chooses."""

import socket
import struct
import threading

import dns.flags
import dns.message
import dns.rcode
import dns.rrset

TTL_S = 60


class NameServer:
    """Answers questions for addresses.

    Attributes:
        address: Where it listens, both ways.
        records: By name and kind: addresses, or one canonical name under `CNAME`.
        rcode: What it answers instead, `NOERROR` for the records.
        is_silent: Whether it answers nothing at all.
        is_cutting: Whether every answer over UDP is empty and marked as cut.
        garbage: Datagrams sent before each true answer.
        released: Answers wait for it: clear it to be slow.
        asked: Every question, as name and kind.
    """

    def __init__(self) -> None:
        """Listen on a port that is free for both."""
        self._stream = socket.create_server(("127.0.0.1", 0))
        self.address: tuple[str, int] = self._stream.getsockname()
        self._datagram = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._datagram.bind(self.address)
        self.records: dict[tuple[str, str], tuple[str, ...]] = {}
        self.rcode = "NOERROR"
        self.is_silent = False
        self.is_cutting = False
        self.garbage: tuple[bytes, ...] = ()
        self.released = threading.Event()
        self.released.set()
        self.asked: list[tuple[str, str]] = []
        self._closing = False
        self._threads = [
            threading.Thread(target=work, daemon=True)
            for work in (self._serve_datagrams, self._serve_streams)
        ]
        for thread in self._threads:
            thread.start()

    def close(self) -> None:
        """End both threads by a word to each."""
        self._closing = True
        self.released.set()
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as last:
            last.sendto(b"", self.address)
        socket.create_connection(self.address).close()
        for thread in self._threads:
            thread.join()
        self._datagram.close()
        self._stream.close()

    def _serve_datagrams(self) -> None:
        while True:
            content, peer = self._datagram.recvfrom(4_096)
            if self._closing:
                return
            question = dns.message.from_wire(content)
            self.released.wait()
            if self.is_silent or self._closing:
                continue
            for garbage in self.garbage:
                self._datagram.sendto(garbage, peer)
            answer = self._answer(question)
            if self.is_cutting:
                answer.answer.clear()
                answer.flags |= dns.flags.TC
            self._datagram.sendto(answer.to_wire(), peer)

    def _serve_streams(self) -> None:
        while True:
            peer, _ = self._stream.accept()
            with peer:
                if self._closing:
                    return
                (length,) = struct.unpack("!H", peer.recv(2, socket.MSG_WAITALL))
                question = dns.message.from_wire(peer.recv(length, socket.MSG_WAITALL))
                content = self._answer(question).to_wire()
                peer.sendall(struct.pack("!H", len(content)) + content)

    def _answer(self, question: dns.message.Message) -> dns.message.Message:
        asked = question.question[0]
        name, kind = str(asked.name), dns.rdatatype.to_text(asked.rdtype)
        self.asked.append((name, kind))
        answer = dns.message.make_response(question)
        answer.set_rcode(dns.rcode.from_text(self.rcode))
        if self.rcode != "NOERROR":
            return answer
        for canonical in self.records.get((name, "CNAME"), ()):
            answer.answer.append(dns.rrset.from_text(name, TTL_S, "IN", "CNAME", canonical))
            name = canonical
        found = self.records.get((name, kind), ())
        if found:
            answer.answer.append(dns.rrset.from_text(name, TTL_S, "IN", kind, *found))
        return answer
