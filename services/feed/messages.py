"""What the feeds' shells tell their cores, beyond the words that every process shares."""

from shared.effects import Message
from shared.venue.auth import Credentials


class CredentialsFound(Message, frozen=True):
    """The API key is there, or has become another one. Its repr shows no secret."""

    credentials: Credentials
