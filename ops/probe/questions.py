"""The questions of a session: what they ask, why, how, and what the simulator assumes. Data.

An assumption is the form that the simulator answers by, and that our own code was written
for; a test asks the simulator every question and finds that it holds.
"""

import msgspec

Scalar = str | int | bool


class Question(msgspec.Struct, frozen=True):
    """One thing that no page of the venue says for sure.

    Attributes:
        id: Stable name.
        asks: The question, for people.
        matters: Which setting or assumption of ours rests on the answer.
        step: Part of the script that answers it.
        how: How it is asked, and how the answer is read.
        assumes: The form of the simulator's answer.
        takes: Whether asking costs a fill, so that it needs to be allowed by itself.
    """

    id: str
    asks: str
    matters: str
    step: str
    how: str
    assumes: dict[str, Scalar]
    takes: bool = False
