"""A venue on this machine: matching, money, REST, sockets, prices, faults.

Reads and publishes nothing on the bus: it is what the system's edges connect to instead
of Polymarket, and speaks its protocol with real signatures. When it dies the streams close
and requests fail, as when a venue is gone. Its next run goes on where this one ended, however
it ended (`kill -9` too, a loss of power not): money, trades with their settlement, markets,
resting orders, reference prices and armed dead-man switches are in a journal in the data
directory, one line a turn, written before anybody is told. What fell due meanwhile is done
at once: orders expire, trades settle, and markets that ended resolve by the price that the
oracle has then. Gone with the process are orders held for the taker delay (nobody was
answered), quotes of other makers, faults, sockets, and heartbeat ids: the next beat carries
none. API keys follow from the seed. A damaged journal ends the start with status 2; whoever
wants a new venue moves `venue.jsonl` away.

`core.py` is pure: messages and time in, answers and frames out, the same trace for the
same seed. It runs behind `rest.py`, `sockets.py` and `shell.py` for real, or inside a
simulation with virtual time. `hosts.py` serves the venue's other hosts beside trading:
discovery, data and relayer (docs/simulated-venue.md). Wallets of every kind trade:
proxies, Safes and deposit wallets have the addresses that they have on the chain, and their
orders' signatures are checked.
Protocols of settlement on a chain, and split, merge and redeem by the user are not part of
it: a resolved market pays its holders at once. Session keys and RFQ are not served, builders'
fees not charged, rewards and rebates told but not paid. Where the venue's documents disagree,
`document_form.py` says which form is served and how to get the other.

Endpoints for tests and people, loopback only, all JSON:

    GET    /admin/log?since=N&limit=M      stamps after number N: {"at_ns", "next", "records"}
    GET    /admin/state                    open orders by API key, held orders, armed beats
    GET    /admin/account?address=A        money and tokens of an account
    GET    /admin/markets                  all markets with their states
    GET    /admin/mirror                   what a mirror follows and believes (`mirror/core.py`)
    GET    /admin/catalogue                faults of the real venue, each with our reaction
    GET    /admin/faults                   faults that are on
    POST   /admin/faults                   switch one on (kinds and fields: `faults/orders.py`),
                                           or {"entry": "NAME"} of the catalogue
    POST   /admin/faults/random            entries at random times {"seed", "mean_ms", "weights"}
    DELETE /admin/faults?id=N              switch one off, ?entry=NAME those of an entry, or all
    POST   /admin/drop                     end open sockets {"stream", "key", "code"}
    POST   /admin/restart                  425, then post-only {"down_ms", "post_only_ms"}
    POST   /admin/deposit                  {"account", "amount"} in USD
    POST   /admin/participants             {"paused": true} holds makers and takers still
    POST   /admin/standing                 {"address", "standing"}: normal, closed_only, banned
    POST   /admin/wallets                  {"address", "known"}: whether a maker may trade
    POST   /admin/builders                 {"code", "maker_bps", "taker_bps"}
    POST   /admin/allowance                {"account", "spender", "amount", "conditional"} in 1e-6
    POST   /admin/resolve                  {"market", "winner"}: a running market ends now
    POST   /admin/balance                  {"account", "token", "amount"}: shares moved, in 1e-6

Records of the log (and lines of the wire log file) by `kind`: `start`, `request`, `response`,
`no_response`, `post` (an order as received), `refusal`, `order` (each change of its life),
`cancel`, `fill`, `trade` (settlement status), `market` (listing to resolution), `tick`,
`payout`, `deposit`, `beat`, `dead_man`, `stream_opened`, `stream_closed`, `fault`,
`faults_cleared`, `dropped`, `restart`, `participants`, `standing`, `wallet`, `builder`,
`allowance`, `mirror` (proven or doubted, and why). An account's profit is the sum of
its fills (sells less buys, less fees), without those of trades that ended FAILED, plus its
payouts.
"""
