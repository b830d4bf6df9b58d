"""Where the venue answers: its hosts, their alternatives, and its planned restarts."""

from typing import Annotated, Literal

from msgspec import Meta

from shared.config.section import Section

Alternatives = Annotated[
    tuple[str, ...],
    Meta(
        description="The same socket of the same venue elsewhere, tried in turn while the one "
        "before cannot be reached.",
        max_length=4,
    ),
]
"""Sockets alone have them. A read that proves something (no open order is left) is asked where the
orders went and nowhere else: what another host does not know would read as nothing."""


class VenueSettings(Section, frozen=True, kw_only=True):
    """Where the venue answers."""

    clob_url: Annotated[str, Meta(description="Trading and books over REST.", min_length=1)]
    discovery_url: Annotated[str, Meta(description="Gamma: markets and events.", min_length=1)]
    geoblock_url: Annotated[str, Meta(description="Host of /api/geoblock.", min_length=1)]
    market_socket_url: Annotated[str, Meta(description="Public market channel.", min_length=1)]
    user_socket_url: Annotated[str, Meta(description="Own orders and trades.", min_length=1)]
    price_socket_url: Annotated[str, Meta(description="PolyBolt prices.", min_length=1)]
    market_socket_alternatives: Alternatives = ()
    user_socket_alternatives: Alternatives = ()
    price_socket_alternatives: Alternatives = ()
    market_socket_tokens: Annotated[
        int,
        Meta(
            description="Tokens on one connection of the market channel, of which there are as "
            "many as it takes, up to eight; above 500 first books are missing.",
            ge=2,
            le=500,
        ),
    ] = 200
    legacy_price_socket_url: Annotated[
        str,
        Meta(
            description="RTDS: the same oracle's prices once more, compared, and carrying on while "
            "the current socket does not; empty: none."
        ),
    ] = ""
    books_url: Annotated[
        str,
        Meta(description="Second opinion about books over REST; empty: where orders go."),
    ] = ""
    rpc_url: Annotated[
        str,
        Meta(
            description="A node of the chain, for approvals, their checks and the balances that "
            "positions are compared with; empty: none."
        ),
    ] = ""
    relayer_url: Annotated[
        str, Meta(description="Sends approvals of wallets that are contracts; empty: none.")
    ] = ""
    chain_id: Annotated[int, Meta(description="Polygon.", ge=1)] = 137
    restart_weekday: Annotated[
        Literal[
            "never",
            "monday",
            "tuesday",
            "wednesday",
            "thursday",
            "friday",
            "saturday",
            "sunday",
        ],
        Meta(description="Of the matching engine's planned restart; never: none is planned."),
    ] = "tuesday"
    restart_time: Annotated[
        str,
        Meta(
            description="Hour and minute of the planned restart in its zone.",
            pattern=r"^([01][0-9]|2[0-3]):[0-5][0-9]$",
        ),
    ] = "07:00"
    restart_zone: Annotated[
        str, Meta(description="Time zone of the planned restart, summer time included.")
    ] = "America/New_York"
    restart_lead_s: Annotated[
        int,
        Meta(description="Posts stop so long before a planned restart.", ge=0, le=600),
    ] = 10
    restart_lasts_s: Annotated[
        int,
        Meta(description="A planned restart takes so long, as a rule about 90 s.", ge=0, le=1800),
    ] = 90
