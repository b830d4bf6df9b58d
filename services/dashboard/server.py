"""The HTTP server of the page: reads only, on loopback only, in a thread beside the loop.

Impure. Hands out what the core showed last, and says itself how old that is: when the loop hangs,
`/healthz` fails and open pages get nothing new, so that they show their age. A page that reads
slower than it is written to is cut off.
"""

import asyncio
import threading
from collections.abc import Awaitable, Callable
from contextlib import suppress
from queue import SimpleQueue

import msgspec
from aiohttp import web

from bus import clock
from bus.edge import Edge
from services.dashboard.assets import CHARTS, Asset, chart_library, own_assets
from services.dashboard.messages import Serving, Show, Watched
from shared.effects import Effect, Message
from shared.units import NS_PER_MS, NS_PER_S, Instant

HOST = "127.0.0.1"
LOOPBACK_NAMES = frozenset({"127.0.0.1", "localhost", "[::1]"})
"""Any other name in `Host` is a page of somebody else that had its own name point here."""

PAGES_MAX = 16
WRITE_S_MAX = 5.0
"""For one message to one page; ten of them are due meanwhile, and only the newest is sent."""

BUFFER_BYTES_MAX = 262_144
REBIND_S = 1.0
STOP_S_MAX = 2.0
LOOP_NS_MAX = 2 * NS_PER_S
"""The core shows something each second; twice that is a loop that does not turn."""

SECURITY = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; "
    "style-src 'self'; connect-src 'self'; img-src 'self' data:; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class Client:
    """One open page: the newest of each kind that it has not been sent yet."""

    def __init__(self) -> None:
        self.page = b""
        self.history = b""
        self.news = asyncio.Event()

    def offer(self, show: Show, history: bytes) -> None:
        """Put what is new in the place of what was not sent."""
        self.page = show.page
        self.history = history or self.history
        self.news.set()

    def take(self) -> bytes:
        """Return everything that waits, as events."""
        self.news.clear()
        page, self.page = self.page, b""
        history, self.history = self.history, b""
        parts = [_event("history", history)] if history else []
        return b"".join([*parts, _event("page", page)] if page else parts)


class Server:
    """What is served; lives in the thread of its event loop."""

    def __init__(self, told: SimpleQueue[Message], write_s_max: float) -> None:
        """Begin without anything to show.

        Args:
            told: Where it says what the core shall hear.
            write_s_max: Longest time for one message to one page.
        """
        self._told = told
        self._write_s_max = write_s_max
        self._clients: set[Client] = set()
        self._dropped = 0
        self._show: Show | None = None
        self._history = b""
        self._assets = own_assets()
        self._charts: Asset | None = None

    def show(self, show: Show) -> None:
        """Hand out something new to everybody."""
        self._show = show
        self._history = show.history or self._history
        for client in self._clients:
            client.offer(show, show.history)

    def application(self) -> web.Application:
        """Return the routes."""
        app = web.Application(middlewares=[_guard], client_max_size=1024)
        for path in self._assets:
            app.router.add_get(path, self._asset)
        app.router.add_get(f"/{CHARTS}", self._chart_library)
        app.router.add_get("/stream", self._stream)
        app.router.add_get("/page.json", self._page)
        app.router.add_get("/healthz", self._health)
        app.router.add_get("/readyz", self._ready)
        app.router.add_get("/metrics", self._metrics)
        return app

    async def _asset(self, request: web.Request) -> web.StreamResponse:
        return _answer(request, self._assets[request.path])

    async def _chart_library(self, request: web.Request) -> web.StreamResponse:
        if self._charts is None:
            self._charts = await asyncio.to_thread(chart_library)
        if self._charts is None:
            return web.Response(status=404, text="the chart library is not installed\n")
        return _answer(request, self._charts)

    async def _page(self, _request: web.Request) -> web.StreamResponse:
        if self._show is None:
            return web.Response(status=503, text="nothing is known yet\n")
        return web.Response(body=self._show.page, content_type="application/json")

    async def _stream(self, request: web.Request) -> web.StreamResponse:
        if len(self._clients) >= PAGES_MAX:
            return web.Response(status=503, text=f"{PAGES_MAX} pages are open already\n")
        response = web.StreamResponse(
            headers={"Content-Type": "text/event-stream", "Cache-Control": "no-store"}
        )
        await response.prepare(request)
        transport = request.transport
        if transport is None:
            return response
        transport.set_write_buffer_limits(high=BUFFER_BYTES_MAX)
        client = Client()
        if self._show is not None:
            client.offer(self._show, self._history)
        self._clients.add(client)
        self._tell()
        try:
            await self._write(response, client)
        except TimeoutError:
            self._dropped += 1
            transport.abort()
        finally:
            self._clients.discard(client)
            self._tell()
        return response

    async def _write(self, response: web.StreamResponse, client: Client) -> None:
        """Send what is new for as long as the page takes it."""
        with suppress(ConnectionError):
            while True:
                await client.news.wait()
                async with asyncio.timeout(self._write_s_max):
                    await response.write(client.take())

    def _tell(self) -> None:
        self._told.put(Watched(len(self._clients), self._dropped))

    async def _health(self, _request: web.Request) -> web.StreamResponse:
        """Alive: the loop turns. Whether we may trade is another question."""
        age_ns = self._age_ns()
        alive = age_ns is not None and age_ns <= LOOP_NS_MAX
        check = {
            "name": "loop",
            "holds": alive,
            "age_ms": None if age_ns is None else age_ns // NS_PER_MS,
            "age_ms_max": LOOP_NS_MAX // NS_PER_MS,
        }
        return _json(200 if alive else 503, {"alive": alive, "checks": [check]})

    async def _ready(self, _request: web.Request) -> web.StreamResponse:
        """May we trade: only what was judged just now says yes."""
        show, age_ns = self._show, self._age_ns()
        if show is None or age_ns is None:
            return _json(503, {"ready": False, "reasons": ["nothing is known yet"], "checks": []})
        reasons = list(show.reasons)
        if age_ns > LOOP_NS_MAX:
            reasons.insert(0, f"the dashboard has judged nothing for {age_ns // NS_PER_S} s")
        ready = show.ready and age_ns <= LOOP_NS_MAX
        since_ms = age_ns // NS_PER_MS
        checks = [
            {
                "name": check.name,
                "holds": check.holds,
                "detail": check.detail,
                "age_ms": None if check.age_ms is None else check.age_ms + since_ms,
                "failures": check.failures,
            }
            for check in show.checks
        ]
        told = {"ready": ready, "reasons": reasons, "judged_age_ms": since_ms, "checks": checks}
        return _json(200 if ready else 503, told)

    async def _metrics(self, _request: web.Request) -> web.StreamResponse:
        show, age_ns = self._show, self._age_ns()
        if show is None or age_ns is None or age_ns > LOOP_NS_MAX:
            return web.Response(status=503, text="# nothing is known now\n")
        return web.Response(
            body=show.metrics.encode(),
            headers={"Content-Type": "text/plain; version=0.0.4; charset=utf-8"},
        )

    def _age_ns(self) -> int | None:
        if self._show is None:
            return None
        return max(0, clock.read().monotonic_ns - self._show.at_ns)


class ServerEdge(Edge):
    """Keeps the server's thread, and its port, until the process ends."""

    handles = (Show,)

    def __init__(self, port: int, write_s_max: float = WRITE_S_MAX) -> None:
        """Begin to listen; port 0 leaves it to the system."""
        self._port = port
        self._told: SimpleQueue[Message] = SimpleQueue()
        self._loop = asyncio.new_event_loop()
        self._server = Server(self._told, write_s_max)
        self._task = self._loop.create_task(self._serve())
        self._thread = threading.Thread(target=self._run, name="server", daemon=True)
        self._thread.start()

    def apply(self, effect: Effect, now: Instant) -> list[Message]:
        """Hand what is shown over to the server."""
        assert isinstance(effect, Show), f"not ours: {effect}"
        self._loop.call_soon_threadsafe(self._server.show, effect)
        return []

    def on_tick(self, now: Instant) -> list[Message]:
        """Tell what the server said."""
        messages: list[Message] = []
        while not self._told.empty():
            messages.append(self._told.get_nowait())
        return messages

    def close(self) -> None:
        """End the server and its thread."""
        self._loop.call_soon_threadsafe(self._task.cancel)
        self._thread.join(STOP_S_MAX)

    def _run(self) -> None:
        with suppress(asyncio.CancelledError):
            self._loop.run_until_complete(self._task)
        self._loop.close()

    async def _serve(self) -> None:
        """Listen, trying again for as long as the port is somebody else's."""
        runner = web.AppRunner(
            self._server.application(), access_log=None, handle_signals=False, shutdown_timeout=0.2
        )
        await runner.setup()
        try:
            await self._listen(runner)
            await asyncio.Event().wait()
        finally:
            await runner.cleanup()

    async def _listen(self, runner: web.AppRunner) -> None:
        while True:
            try:
                await web.TCPSite(runner, HOST, self._port, reuse_address=True).start()
            except OSError as error:
                words = f"port {self._port}: {error.strerror}"
                self._told.put(Serving(0, words))
                await asyncio.sleep(REBIND_S)
            else:
                self._told.put(Serving(runner.addresses[0][1], ""))
                return


@web.middleware
async def _guard(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Answer only who asked for this host by a loopback name, and set what browsers enforce."""
    name = request.host.rpartition(":")[0] if not request.host.endswith("]") else request.host
    if (name or request.host) not in LOOPBACK_NAMES:
        return web.Response(status=403, text="not this host\n")
    try:
        response = await handler(request)
    except web.HTTPException as error:
        error.headers.update(SECURITY)
        raise
    if not response.prepared:
        response.headers.update(SECURITY)
        response.headers.setdefault("Cache-Control", "no-store")
    return response


def _answer(request: web.Request, found: Asset) -> web.StreamResponse:
    headers = {"ETag": found.tag, "Cache-Control": "no-cache", "Vary": "Accept-Encoding"}
    if request.headers.get("If-None-Match") == found.tag:
        return web.Response(status=304, headers=headers)
    body = found.content
    if "gzip" in request.headers.get("Accept-Encoding", ""):
        headers["Content-Encoding"] = "gzip"
        body = found.gzipped
    headers["Content-Type"] = f"{found.content_type}; charset=utf-8"
    return web.Response(body=body, headers=headers)


def _json(status: int, content: object) -> web.Response:
    return web.Response(
        status=status, body=msgspec.json.encode(content), content_type="application/json"
    )


def _event(name: str, content: bytes) -> bytes:
    """Return one server-sent event; JSON has no line end. Source: https://html.spec.whatwg.org."""
    return b"event: " + name.encode() + b"\ndata: " + content + b"\n\n"
