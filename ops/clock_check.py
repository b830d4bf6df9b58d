"""Who corrects this host's clock, and whether the kernel calls it synchronised.

Reads the kernel's clock state and looks for the programs that discipline clocks; asks nobody
outside. Source: adjtimex(2), linux/timex.h.
"""

import ctypes

import psutil

CORRECTORS = (
    "chronyd",
    "ntpd",
    "ntpsec",
    "openntpd",
    "systemd-timesyncd",
    "systemd-timesyn",  # the kernel cuts a process's name after 15 bytes
    "ptp4l",
    "phc2sys",
)

STA_UNSYNC = 0x0040
TIME_ERROR = 5
"""Source: linux/timex.h."""

TIMEX_BYTES = 256
"""More than struct timex has on any machine: 208 on 64 bits."""

STATUS_AT = 40
"""Of `status` in struct timex on 64 bits: after four longs and an int with its padding."""


def correction() -> tuple[bool | None, str]:
    """Return whether somebody keeps the clock right, None when that cannot be known, and words."""
    running = _running()
    synchronised = _is_synchronised()
    who = f"corrected by {', '.join(running)}" if running else "no program here corrects it"
    if synchronised is None:
        return (True if running else None), f"{who}; the kernel does not say"
    # A container's host may correct it without showing: then the kernel says so all the same.
    said = "synchronised" if synchronised else "unsynchronised"
    return synchronised, f"{who}; the kernel calls it {said}"


def _running() -> list[str]:
    """Return the programs that run here and discipline clocks."""
    names = {str(process.info["name"] or "") for process in psutil.process_iter(["name"])}
    return sorted(names.intersection(CORRECTORS))


def _is_synchronised() -> bool | None:
    """Return what the kernel says, None when it is not asked or does not answer."""
    library = ctypes.CDLL(None, use_errno=True)
    if ctypes.sizeof(ctypes.c_long) != 8 or not hasattr(library, "adjtimex"):
        return None
    timex = ctypes.create_string_buffer(TIMEX_BYTES)  # modes 0: reads alone
    state = library.adjtimex(timex)
    if state < 0:
        return None
    status = int.from_bytes(timex.raw[STATUS_AT : STATUS_AT + 4], "little", signed=True)
    return state != TIME_ERROR and not status & STA_UNSYNC
