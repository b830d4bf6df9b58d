"""Switching faults: single ones, entries of the catalogue, storms of entries.

Nothing of it exists at the venue. The package docstring lists the endpoints.
"""

from typing import Annotated

import msgspec
from msgspec import Meta

from services.simulator.answers import Answer, error, ok
from services.simulator.catalogue.entry import Entry
from services.simulator.catalogue.table import ENTRIES, find
from services.simulator.edge import Request
from services.simulator.faults.orders import SPAN_MS_MAX, FaultOrder
from services.simulator.faults.switches import FAULTS_MAX, Faults
from services.simulator.queries import query_number
from services.simulator.stamps import Stamps
from services.simulator.storm import Storm, StormOrder, UnknownEntry, entry_orders
from shared.units import Instant
from shared.venue.wire import decode

TOO_MANY = f"more than {FAULTS_MAX} faults"


class EntryOrder(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What `POST /admin/faults` asks for by the name of an entry.

    Attributes:
        entry: Name or number.
        duration_ms: How long it is on; None until it is switched off. Parts of an entry with a
            time of their own keep it.
        after_ms: How long until it is on.
        every_ms: It is on again every so often.
        count: How often each of its faults strikes.
        probability: Times that of each of its faults.
    """

    entry: str
    duration_ms: Annotated[int, Meta(ge=1, le=SPAN_MS_MAX)] | None = None
    after_ms: Annotated[int, Meta(ge=0, le=SPAN_MS_MAX)] = 0
    every_ms: Annotated[int, Meta(ge=1, le=SPAN_MS_MAX)] | None = None
    count: Annotated[int, Meta(ge=1)] | None = None
    probability: Annotated[float, Meta(ge=0.0, le=1.0)] = 1.0


_FAULT = msgspec.json.Decoder(FaultOrder)
_ENTRY = msgspec.json.Decoder(EntryOrder)
_STORM = msgspec.json.Decoder(StormOrder)


class FaultDesk:
    """Handles the requests under `/admin/faults`."""

    def __init__(self, faults: Faults, storm: Storm, stamps: Stamps) -> None:
        """Set the parts."""
        self._faults = faults
        self._storm = storm
        self._stamps = stamps

    def set(self, request: Request, now: Instant) -> Answer:
        """Handle POST /admin/faults."""
        if b'"entry"' in request.body:
            return self._set_entry(decode(_ENTRY, request.body, "entry"), now)
        order = decode(_FAULT, request.body, "fault")
        fault_id = self._faults.set(order, now.monotonic_ns)
        if fault_id is None:
            return error(400, TOO_MANY)
        self._stamps.add("fault", now, fault_id=fault_id, fault=order)
        return ok({"id": fault_id})

    def _set_entry(self, wish: EntryOrder, now: Instant) -> Answer:
        entry = find(wish.entry)
        if entry is None:
            return error(400, f"the catalogue has no entry {wish.entry!r}")
        if not entry.orders:
            return error(400, f"{entry.name} has no switch: {entry.always}")
        orders = [_spoil(order, wish) for order in entry_orders(entry, None, wish.after_ms)]
        ids = [self._faults.set(order, now.monotonic_ns, entry.name) for order in orders]
        if None in ids:
            self._faults.clear(None, entry.name)
            return error(400, TOO_MANY)
        self._stamps.add("fault", now, entry=entry.name, fault_ids=ids)
        return ok({"entry": entry.name, "ids": ids, "id": ids[0]})

    def clear(self, request: Request, now: Instant) -> Answer:
        """Handle DELETE /admin/faults: one by id, those of an entry, or all and the storm."""
        fault_id, name = query_number(request, "id"), request.query.get("entry", "")
        entry = find(name) if name else None
        if name and entry is None:
            return error(400, f"the catalogue has no entry {name!r}")
        if fault_id is None and entry is None:
            self._storm.stop()
        cleared = self._faults.clear(fault_id, "" if entry is None else entry.name)
        self._stamps.add("faults_cleared", now, cleared=cleared)
        return ok({"cleared": cleared})

    def list(self, request: Request, now: Instant) -> Answer:
        """Handle GET /admin/faults."""
        faults = self._faults.list(now.monotonic_ns)
        return ok(
            [
                {
                    "id": item.fault_id,
                    "entry": item.entry,
                    "left": item.left,
                    "is_on": item.is_on(now.monotonic_ns),
                    **msgspec.structs.asdict(item.order),
                }
                for item in faults
            ]
        )

    def random(self, request: Request, now: Instant) -> Answer:
        """Handle POST /admin/faults/random."""
        order = decode(_STORM, request.body or b"{}", "random")
        try:
            self._storm.start(order, now.monotonic_ns)
        except UnknownEntry as fault:
            return error(400, str(fault))
        self._stamps.add("storm", now, storm=order)
        return ok({"random": True, "seed": order.seed})

    def catalogue(self, request: Request, now: Instant) -> Answer:
        """Handle GET /admin/catalogue."""
        return ok([_row(entry) for entry in ENTRIES])


def _spoil(order: FaultOrder, wish: EntryOrder) -> FaultOrder:
    return msgspec.structs.replace(
        order,
        duration_ms=wish.duration_ms if order.duration_ms is None else order.duration_ms,
        every_ms=wish.every_ms,
        count=wish.count if order.count is None else order.count,
        probability=order.probability * wish.probability,
    )


def _row(entry: Entry) -> dict[str, object]:
    return {
        "number": entry.number,
        "name": entry.name,
        "what": entry.what,
        "reaction": entry.reaction,
        "switch": bool(entry.orders),
        "always": entry.always,
    }
