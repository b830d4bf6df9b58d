"""What the feeds' shells tell their cores, beyond the words that every process shares."""

from shared.effects import Effect, Message
from shared.quarantine import QuarantinedFrame
from shared.venue.auth import Credentials


class CredentialsFound(Message, frozen=True):
    """The API key is there, or has become another one. Its repr shows no secret."""

    credentials: Credentials


class KeepFrame(Effect, frozen=True):
    """Keep a frame that was refused where people can look at it; it is blotted already."""

    frame: QuarantinedFrame
