"""Parameters of a request's query."""

from services.simulator.edge import Request
from shared.venue.decimals import parse_integer


def query_number(request: Request, name: str) -> int | None:
    """Return a whole number of the query, None when it is not there.

    Raises:
        Unparseable: It is something else.
    """
    text = request.query.get(name)
    return None if text is None else parse_integer(text, name)
