"""Services that others run for us. A kind is a file here and a line in `REGISTRY`."""

from __future__ import annotations

from statusapp.probes.external import africastalking, smtp, statuspage, twilio
from statusapp.probes.external.service import Service

REGISTRY: tuple[Service, ...] = (
    twilio.SERVICE,
    africastalking.SERVICE,
    smtp.SERVICE,
    statuspage.SERVICE,
)
