"""The services of an invented company: a shop with its platform, first everywhere, then region by region."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum
from itertools import count, islice, product

MOST_SERVICES = 5000


class Temper(Enum):
    """How much trouble a service makes, and whether it is there all the time."""

    USUAL = "usual"
    STEADY = "steady"
    TROUBLED = "troubled"
    YOUNG = "young"
    PAUSED = "paused"


@dataclass(frozen=True, slots=True)
class Service:
    """One invented service. `base_ms` is its usual response time in milliseconds."""

    name: str
    group: str
    base_ms: float
    tags: tuple[str, ...] = ()
    temper: Temper = Temper.USUAL
    description: str = ""
    depends_on: tuple[str, ...] = ()
    is_public: bool = True

    @property
    def host(self) -> str:
        """The name that its errors speak of."""
        return f"{re.sub('[^a-z0-9]+', '-', self.name.lower()).strip('-')}.example.com"


COLLAPSED_GROUPS = ("Partners", "Back office")

# In the order in which they come into a small demo: its first dozen has something of everything.
_EVERYWHERE = (
    Service("API gateway", "Platform", 38, ("edge", "critical"), description="The front door of apps and partners."),
    Service(
        "Web shop", "Shop", 120, ("edge",), description="The pages that customers see.", depends_on=("API gateway",)
    ),
    Service("Checkout", "Shop", 180, ("critical", "pci"), depends_on=("API gateway",)),
    Service("Login", "Accounts", 85, ("critical",), Temper.STEADY),
    Service("Search", "Shop", 95, ("java",), depends_on=("API gateway",)),
    Service("Stock levels", "Shop", 210, ("legacy",), Temper.TROUBLED, "Asks every warehouse, and waits for the last."),
    Service("Image CDN", "Platform", 14, ("edge",), Temper.STEADY),
    Service("Recommendations", "Shop", 140, ("python",), Temper.YOUNG, "New: what others have bought as well."),
    Service("Fraud scoring", "Back office", 260, ("python", "pci"), is_public=False),
    Service("Webhooks", "Partners", 70, depends_on=("API gateway",)),
    Service("Old order import", "Back office", 420, ("legacy",), Temper.PAUSED, "Paused until it is taken down."),
    Service("Mail delivery", "Messages", 160),
    Service("Partner feed", "Partners", 640, ("legacy",), Temper.TROUBLED),
    Service("Payments: cards", "Shop", 240, ("critical", "pci")),
    Service("Payments: invoices", "Shop", 310, ("pci",)),
    Service("Product pages", "Shop", 75, ("edge",), Temper.STEADY),
    Service("Cart", "Shop", 55, ("critical",), depends_on=("API gateway",)),
    Service("Prices", "Shop", 48, ("java",)),
    Service("Reviews", "Shop", 130),
    Service("Sign-up", "Accounts", 150),
    Service("Profiles", "Accounts", 66, depends_on=("Login",)),
    Service("Single sign-on", "Accounts", 110, ("critical",), depends_on=("Login",)),
    Service("Text messages", "Messages", 290),
    Service("Push messages", "Messages", 90, ("go",)),
    Service("Newsletters", "Messages", 340, description="Sends at night; slow is fine."),
    Service("Event stream", "Platform", 22, ("kafka", "critical"), Temper.STEADY),
    Service("Object storage", "Platform", 31, ("critical",), Temper.STEADY),
    Service("Feature flags", "Platform", 18, ("go",)),
    Service("Configuration", "Platform", 16, ("go",), Temper.STEADY),
    Service("Partner API", "Partners", 105, depends_on=("API gateway",)),
    Service("Partner portal", "Partners", 190),
    Service("Shipping labels", "Back office", 380),
    Service("Returns", "Back office", 170),
    Service("Reports", "Back office", 900, ("python",)),
    Service("Support desk", "Back office", 220),
    Service("Accounting export", "Back office", 520, ("legacy",)),
)
_IN_EACH_REGION = (
    ("Edge", 20), ("Checkout", 170), ("Search", 95), ("Cart", 55), ("Login", 80), ("Catalogue", 70),
    ("Image resizing", 130), ("Session store", 12), ("Order queue", 25), ("Payments", 230), ("Prices", 45),
    ("Stock cache", 18), ("Mail relay", 150), ("Webhooks", 75), ("Audit log", 40), ("Uploads", 210), ("Maps", 160),
    ("Translations", 60), ("Metrics intake", 30), ("Scheduler", 28),
)  # fmt: skip
# With what a request from here takes longer, in milliseconds.
_REGIONS = (
    ("Frankfurt", 4), ("Dublin", 18), ("Virginia", 90), ("Oregon", 150), ("Singapore", 170), ("Sydney", 270),
    ("São Paulo", 200), ("Mumbai", 130), ("Tokyo", 230), ("Stockholm", 24), ("Montréal", 95), ("Cape Town", 165),
)  # fmt: skip
_TEMPERS = (Temper.USUAL, Temper.STEADY, Temper.USUAL, Temper.USUAL, Temper.STEADY)


def services(number: int) -> list[Service]:
    """The first so many services; their names differ. Each depends only on ones before it."""
    return [*_EVERYWHERE[:number], *islice(_by_region(), max(number - len(_EVERYWHERE), 0))]


def is_collapsed(group: str) -> bool:
    """Whether the page shows a group closed at first."""
    return group in COLLAPSED_GROUPS or group.startswith("Region ")


def _by_region() -> Iterator[Service]:
    """Services without end: a cell of every region, then the second cell of every region, and so on."""
    tempers = count()
    for cell in count(1):
        for (region, farther_ms), (kind, base_ms) in product(_REGIONS, _IN_EACH_REGION):
            yield Service(
                f"{kind} {region}" if cell == 1 else f"{kind} {region} {cell}",
                f"Region {region}",
                base_ms + farther_ms,
                ("regional", region.lower().replace(" ", "-")),
                _TEMPERS[next(tempers) % len(_TEMPERS)],
            )
