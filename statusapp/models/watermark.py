"""How far the sums have come."""

from __future__ import annotations

from sqlalchemy import BigInteger, String
from sqlalchemy.orm import Mapped, mapped_column

from statusapp.extensions import Base


class Watermark(Base):
    """Up to which instant, in microseconds, one kind of sums is complete.

    `pulled_to` is the earliest instant at which what is summed has changed since the last sums began: they are complete
    up to the earlier of the two. `basis` is what the sums depend on besides: for days, the time zone they are cut in.
    """

    __tablename__ = "watermark"

    name: Mapped[str] = mapped_column(String(50), primary_key=True)
    until: Mapped[int] = mapped_column(BigInteger)
    pulled_to: Mapped[int | None] = mapped_column(BigInteger)
    basis: Mapped[str | None] = mapped_column(String(64))
