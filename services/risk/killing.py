"""What a kill of a hung run takes: a pidfd first, supervisord too when that is not enough. Pure."""

from services.risk.liveness import Run
from services.risk.messages import AskSupervisor, KillProcess
from shared.effects import Effect, Peer


def kill_effects(peer: Peer, run: Run | None) -> list[Effect]:
    """Return what kills a run.

    Args:
        peer: Which run.
        run: What is known of it, this kill counted; None when it is not known.
    """
    effects: list[Effect] = [KillProcess(peer.component, peer.incarnation)]
    if run is not None and run.kills > 1:
        effects.append(AskSupervisor("kill", peer.component))
    return effects
