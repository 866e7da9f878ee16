"""The tables. One file per aggregate; importing this package makes all of them known."""

from statusapp.models.account import FirstAccount, User, UserSession
from statusapp.models.check import CheckDetail, HealthCheck, LatencyHour
from statusapp.models.endpoint import EndpointState, ServiceEndpoint
from statusapp.models.ledger import StatusChangeRow, UptimeDay
from statusapp.models.page import DailyReport, StatusPageSettings
from statusapp.models.schedule import CheckWindow, PeriodicTask
from statusapp.models.system import SystemMetric

__all__ = [
    "CheckDetail",
    "CheckWindow",
    "DailyReport",
    "EndpointState",
    "FirstAccount",
    "HealthCheck",
    "LatencyHour",
    "PeriodicTask",
    "ServiceEndpoint",
    "StatusChangeRow",
    "StatusPageSettings",
    "SystemMetric",
    "UptimeDay",
    "User",
    "UserSession",
]
