"""No secret leaves a feed with a frame that was refused, however broken the frame is."""

import pytest

from services.feed.redaction import BLOT, redact
from shared.topics import FEED_PRICE, FEED_USER

KEY = "6ba7b810-9dad-11d1-80b4-00c04fd430c8"
SECRET = "c2VjcmV0LXNlY3JldC1zZWNyZXQtc2VjcmV0LXNlY3JldA=="
PASSPHRASE = "ab" * 32

FRAMES = [
    f'{{"event_type":"order","owner":"{KEY}","id":"0x12"}}',
    f'{{"auth":{{"apiKey":"{KEY}","secret":"{SECRET}","passphrase":"{PASSPHRASE}"}}}}',
    f'{{"auth": {{"api_key" : "{KEY}", "secret" :"{SECRET}", "passphrase": "{PASSPHRASE}',
    f"{{'apiKey': '{KEY}', secret={SECRET}, Passphrase: {PASSPHRASE}}}",
    f'"{{\\"apiKey\\":\\"{KEY}\\",\\"secret\\":\\"{SECRET}\\"}}"',
]


@pytest.mark.req("DQ-5")
@pytest.mark.parametrize("feed", [FEED_USER, FEED_PRICE])
@pytest.mark.parametrize("frame", FRAMES)
def test_what_follows_the_name_of_a_secret_is_blotted(feed: str, frame: str) -> None:
    blotted = redact(FEED_USER if feed == FEED_USER else FEED_PRICE, frame)
    assert BLOT in blotted
    for secret in (KEY, SECRET, SECRET.rstrip("="), PASSPHRASE):
        assert secret not in blotted


@pytest.mark.req("DQ-5")
@pytest.mark.parametrize("frame", [KEY, f"junk {SECRET} junk", PASSPHRASE, f"x,{KEY}", KEY.upper()])
def test_own_order_frames_keep_nothing_that_looks_like_a_key(frame: str) -> None:
    blotted = redact(FEED_USER, frame)
    assert KEY.lower() not in blotted.lower()
    assert SECRET not in blotted
    assert PASSPHRASE not in blotted


def test_public_frame_stays_as_it_is() -> None:
    frame = '{"event_type":"book","asset_id":"1234567890","bids":[{"price":".48","size":"30"}]'
    assert redact(FEED_PRICE, frame) == frame
    assert redact(FEED_USER, frame) == frame
