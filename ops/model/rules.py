"""The rules of the fence protocol, and the properties that they carry.

Each rule can be taken out of the model by its name. What stands under `falls` is what the table of
the protocol says of it; what the search finds is written into docs/protocol-model.md.
"""

from typing import Final

import msgspec

PROPERTIES: Final = {
    "S1": "no first byte of an order without a live lease of the newest epoch received",
    "S2": "after a proof of zero nothing of ours is or becomes live until an operator resumes",
    "S3": "two executions never both write",
    "S4": "an acknowledged halt survives every crash",
    "S5": "no write while every risk has hung for longer than a lease",
    "S6": "while risk only reduces, nothing else is written once a lease has passed",
    "S7": "a pause below the account that counts as carried out lets no order of it be written",
    "L1": "trading is possible again when nothing is latched",
    "L2": "a fence ends in proof",
    "L3": "with risk and execution dead for good the venue ends at zero",
}


class Rule(msgspec.Struct, frozen=True):
    """One rule that can be taken out.

    Attributes:
        name: Of the removal.
        text: What the rule says.
        falls: Properties that its removal breaks; empty where no removal alone breaks one.
        scope: Name of the smallest configuration that shows it.
    """

    name: str
    text: str
    falls: tuple[str, ...]
    scope: str


RULES: Final = (
    Rule(
        "asked",
        "a lease is counted from execution's asking, never from receipt",
        ("S1", "S2", "S5"),
        "lease",
    ),
    Rule("lease", "a lease is required at all", ("S1", "S2", "S5"), "lease"),
    Rule("at_write", "`may_send` judges again directly before the write", ("S1", "S5"), "lease"),
    Rule("loop_grants", "only risk's decision loop grants", ("S5",), "lease"),
    Rule("old_echo", "an echo of an older epoch grants nothing", ("S1", "S2"), "overtaking"),
    Rule("intent", "the intent is in the ledger before the write", ("S2",), "basic"),
    Rule("late_orders", "the venue refuses an order that arrives late", ("S2",), "basic"),
    Rule("resolved", "proof (b): every intent is resolved or past its deadline", ("S2",), "basic"),
    Rule("not_found", '"not found" resolves nothing before the deadline', ("S2",), "basic"),
    Rule(
        "still", "proof (a): every execution is blocked, gone, or without a lease", ("S2",), "basic"
    ),
    Rule("start_lease", "a new risk counts a lease as granted at its start", ("S2",), "basic"),
    Rule("fence_id", "an acknowledgement names its fence", ("S2",), "basic"),
    Rule("two_reads", "two empty reads, not one", ("S2",), "basic"),
    Rule(
        "read_gap", "the gap of the reads is not under the venue's longest hold", ("S2",), "basic"
    ),
    Rule("read_after", "a read counts only if it was sent after (a) and (b)", (), "basic"),
    Rule("latch_disk", "a halt is acknowledged only when its latch is on disk", ("S4",), "halts"),
    Rule("halt_zero", "a halt is acknowledged only when zero is proven", ("S2",), "halt_orders"),
    Rule("database", "a database that was lost or restored starts latched", ("S4",), "halts"),
    Rule("versions", "a later halt voids a resume", ("S4",), "halts"),
    Rule("never_clears", "a SELF_FENCED never clears a latch", ("S4",), "halts"),
    Rule("panic_proof", "panic obeys proof (b)", ("S2",), "panic"),
    Rule("panic_read", "the PANIC latch is read by gate and by risk", ("S2",), "panic"),
    Rule("lock", "one lock of each component, one group an account", (), "two_groups"),
    Rule(
        "reduce_at_write",
        "what only reduces is judged directly before the write",
        ("S6",),
        "reducing",
    ),
    Rule("generation", "a new risk's generations stand above its forerunner's", ("S7",), "pauses"),
    Rule("doomed", "a post of a paused scope does not leave any more", ("S7",), "pauses"),
    Rule("clock", "the venue's clock may be behind ours by the allowance", ("S2",), "clocks"),
    Rule("key", "orders of an earlier key are waited out", ("S2",), "keys"),
    Rule("epoch_max", "the epoch stands above execution's too", ("L1",), "restored"),
    Rule("repeat_fenced", "SELF_FENCED is repeated in every pong", ("L1",), "supervision"),
    Rule("answer_fenced", "risk answers SELF_FENCED by a newer epoch", ("L1",), "supervision"),
    Rule("kill", "execution is killed when BLOCKED does not come", ("L1",), "supervision"),
    Rule(
        "kill_silent",
        "an execution that has blocked and is silent is killed",
        ("L1",),
        "supervision",
    ),
    Rule("watch", "watch kills a risk that hangs", ("L1", "L2"), "supervision"),
    Rule("repeat_order", "every ping repeats the whole order", ("L1",), "supervision"),
    Rule("expire", "orders expire by themselves", ("L3",), "gone"),
    Rule("short_lease", "a lease is shorter than socket time-out plus read gap", (), "basic"),
    Rule("holder", "one incarnation holds the lease at a time", (), "two_groups"),
    Rule(
        "fresh_pongs", "after waking risk grants only to fresh pongs, in a new epoch", (), "basic"
    ),
    Rule(
        "block_once",
        "a fence is over only when every execution that appears blocks too",
        (),
        "basic",
    ),
)

BY_NAME: Final = {rule.name: rule for rule in RULES}
