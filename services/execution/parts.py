"""Everything that execution's decisions work on, made once and shared by reference.

Holds the nouns and the few flags that concern all of them; decides nothing.
"""

from services.execution.approvals import Approvals
from services.execution.budgets.venue_rates import VenueRates
from services.execution.cancels.canceling import Canceller
from services.execution.fence import FenceAnswers, Zeroing
from services.execution.inputs import Inputs
from services.execution.inventory import Inventory
from services.execution.lease import Standing
from services.execution.ledger.journaling import Journaling
from services.execution.losses import Losses
from services.execution.order_register import OrderRegister
from services.execution.placing import Desk
from services.execution.positions import Positions
from services.execution.reconciliation.account_sync import AccountSync
from services.execution.reconciliation.full_reconcile import FullReconcile
from services.execution.reconciliation.reconcile import Reconciler, restore_doubt
from services.execution.requests import Requests
from services.execution.self_fence import SelfFence
from services.execution.startup import OpenedLedger, Startup
from services.execution.wishes import Wishes
from shared.config import Config
from shared.identifiers import Incarnation
from shared.units import NS_PER_MS, BootNs, Instant
from shared.venue.planned_restarts import PlannedRestarts


class Parts:
    """The nouns of one run.

    Attributes:
        zeroing: The way to zero that is under way; nothing is placed until it is reached.
        panic: Whether the PANIC file stands.
        stopping: Cause and moment of the stop; None while nobody has asked for one.
    """

    def __init__(
        self,
        config: Config,
        incarnation: Incarnation,
        ledger: OpenedLedger,
        now: Instant,
        planned: PlannedRestarts,
    ) -> None:
        """Begin with what a verified ledger says."""
        timing = config.timing
        self.config = config
        self.incarnation = incarnation
        self.standing = Standing(incarnation, timing.lease_ms, ledger.epoch)
        self.self_fence = SelfFence(timing.lease_ms)
        self.answers = FenceAnswers()
        self.register = OrderRegister(ledger.orders, now)
        self.positions = Positions(ledger.fills, ledger.payouts)
        self.register.restore_legs(self.positions.legs_e6())
        restore_doubt(self.register, now)
        self.inputs = Inputs(timing.user_stale_ms * NS_PER_MS)
        self.inventory = Inventory(self.register, self.positions, self.inputs, config.limits)
        self.wishes = Wishes(timing.target_ttl_ms)
        self.requests = Requests()
        self.rates = VenueRates()
        self.canceller = Canceller(
            self.register, self.requests, self.rates, timing.cancel_deadline_ms
        )
        self.reconciler = Reconciler(self.register, self.positions, incarnation)
        self.sync = AccountSync(
            timing, self.requests, self.register, self.positions, self.reconciler
        )
        self.full = FullReconcile(
            config,
            self.requests,
            self.register,
            self.positions,
            self.inputs,
            self.reconciler,
            self.sync,
            now,
        )
        self.approvals = Approvals(
            self.requests, timing.read_deadline_ms, is_dry=config.run.dry_run
        )
        self.journaling = Journaling(self.register, self.positions)
        self.desk = Desk(
            config,
            incarnation,
            self.standing,
            self.register,
            self.inventory,
            self.inputs,
            self.canceller,
            self.requests,
            self.rates,
            self.approvals,
            planned,
        )
        self.losses = Losses(config, self.standing, self.positions, self.inputs, self.inventory)
        self.startup = Startup(ledger)
        self.desk.epoch = self.reconciler.epoch = ledger.epoch
        self.zeroing: Zeroing | None = None
        self.panic = False
        self.stopping: tuple[str, BootNs] | None = None
