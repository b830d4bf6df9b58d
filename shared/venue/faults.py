"""What can be wrong with what the venue sends; nothing here is our own fault.

    WireFault(ValueError)
        Malformed       not JSON, or not the shape that the message must have
        Unparseable     a field that holds something which it cannot hold

Raised where text becomes structs, caught where a frame or an answer is judged.
"""

_RAW_CHARS_MAX = 80
"""Enough to recognise what was sent, short enough for a log line."""


class WireFault(ValueError):
    """The venue sent something that cannot be understood."""


class Malformed(WireFault):
    """A message does not have the shape that it must have.

    Attributes:
        what: Which message it should have been.
        reason: Which field, by its path, and why.
    """

    def __init__(self, what: str, reason: str) -> None:
        self.what = what
        self.reason = reason
        super().__init__(f"{what}: {reason}")


class Unparseable(WireFault):
    """A field holds something which it cannot hold.

    Attributes:
        field: Name or path of the field.
        raw: What was there, shortened.
    """

    def __init__(self, field: str, raw: object) -> None:
        self.field = field
        self.raw = repr(raw)[:_RAW_CHARS_MAX]
        super().__init__(f"{field}: {self.raw}")
