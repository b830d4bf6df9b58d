"""Everything that is remembered of one stream, and the order in which its values are judged."""

from services.state.quality.freshness import Freshness
from services.state.quality.interest import InterestRange
from services.state.quality.outliers import Outliers
from services.state.quality.prices import PriceRange
from services.state.quality.readings import PERP, Stream
from services.state.quality.stamps import Stamps
from services.state.quality.volume import VolumeRange
from shared.config import QualitySettings


class StreamWatch:
    """One stream.

    Attributes:
        range: The check of its kind of value.
        outliers: None where steps say nothing.
        good_in_row: Updates in a row against which nothing was said.
    """

    range: PriceRange | InterestRange | VolumeRange

    def __init__(self, stream: Stream, settings: QualitySettings) -> None:
        """Begin with nothing heard."""
        self.stream = stream
        self.stamps = Stamps(settings.future_ms_max)
        unchanged_ms = settings.unchanged_ms if stream.kind == "price" else 0
        is_perp = stream.source.startswith(PERP)
        stale_ms = settings.perp_stale_ms if is_perp else settings.price_stale_ms
        self.freshness = Freshness(stale_ms, unchanged_ms)
        self.outliers: Outliers | None = None
        self.good_in_row = 0
        match stream.kind:
            case "price":
                self.range = PriceRange(settings.jump_percent_max, settings.minimum_percent)
                self.outliers = Outliers(settings.outlier_deviations, settings.outlier_floor_bp)
            case "open interest":
                self.range = InterestRange(settings.interest_percent_max)
            case "volume":
                self.range = VolumeRange(settings.volume_times_max)
