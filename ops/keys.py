"""The wallet's key, as far as the command needs it: a throwaway one, an address, an attestation.

Signs the attestation that an API key is made of and the few orders of `interlock probe`; those
of trading are signed by the gateway of execution alone. No text from here repeats a key.

    KeyFault(Exception)     local: the file is open to others, or holds no key
"""

import secrets
from pathlib import Path

from coincurve import PrivateKey

from bus.credentials import write_private
from bus.settings import secret_file_problem
from shared.venue.typed_data import keccak256

KEY_BYTES = 32
FILE_BYTES_MAX = 256
RECOVERY_OFFSET = 27
"""Of `v` in a signature. Source: Ethereum yellow paper, appendix F."""


class KeyFault(Exception):
    """The key's file may not or cannot be used."""


class Key:
    """A private key that no repr shows.

    Attributes:
        address: Of its wallet, with the checksum in the case of its letters.
    """

    __slots__ = ("_key", "address")

    def __init__(self, secret: bytes) -> None:
        """Take 32 bytes.

        Raises:
            ValueError: They are no key of the curve.
        """
        self._key = PrivateKey(secret)
        public = self._key.public_key.format(compressed=False)[1:]
        self.address = checksum_address(keccak256(public)[-20:])

    def __repr__(self) -> str:
        """Name the wallet, hide the key."""
        return f"Key(address={self.address!r}, hidden)"

    def sign(self, digest: bytes) -> str:
        """Return the signature of 32 bytes, 0x and 130 hex digits."""
        raw = self._key.sign_recoverable(digest, hasher=None)
        return "0x" + (raw[:64] + bytes((raw[64] + RECOVERY_OFFSET,))).hex()


def checksum_address(address: bytes) -> str:
    """Return an address with the checksum of its letters' case. Source: ERC-55."""
    text = address.hex()
    mask = keccak256(text.encode()).hex()
    cased = (
        letter.upper() if int(digit, 16) >= 8 else letter
        for letter, digit in zip(text, mask, strict=False)
    )
    return "0x" + "".join(cased)


def read_key(path: Path) -> Key:
    """Return the key of a file: 64 hex digits, with or without 0x.

    Raises:
        KeyFault: It is missing, open to others, or holds no key.
    """
    problem = secret_file_problem(path)
    if problem is not None:
        raise KeyFault(f"{path} {problem}")
    try:
        with path.open("rb") as file:
            text = file.read(FILE_BYTES_MAX).decode("ascii").strip()
        secret = bytes.fromhex(text.removeprefix("0x"))
        if len(secret) != KEY_BYTES:
            raise ValueError
        return Key(secret)
    except OSError as error:
        raise KeyFault(f"{path} cannot be read: {error.strerror}") from None
    except (UnicodeDecodeError, ValueError):
        raise KeyFault(f"{path} holds no private key of 64 hex digits") from None


def make_throwaway_key(path: Path) -> Key:
    """Draw a key for the simulated venue and write it to a 0600 file.

    Raises:
        OSError: The directory takes no file.
    """
    while True:
        secret = secrets.token_bytes(KEY_BYTES)
        try:
            key = Key(secret)
        except ValueError:  # outside the curve's order: one draw in 2**128
            continue
        write_private(path, secret.hex().encode() + b"\n")
        return key
