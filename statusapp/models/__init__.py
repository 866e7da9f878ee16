"""The tables. One file per aggregate; importing this package makes all of them known."""

from statusapp.models.account import FirstAccount, PasswordLink, User, UserSession
from statusapp.models.alerts import (
    Alert,
    AlertDelivery,
    AlertRule,
    ChannelState,
    MessageText,
    NotificationChannel,
)
from statusapp.models.api_client import ApiAccessToken, ApiClient
from statusapp.models.audit import AuditEntry
from statusapp.models.check import CheckDetail, HealthCheck, LatencyRollup
from statusapp.models.endpoint import EndpointDependency, EndpointState, EndpointTag, ServiceEndpoint, ServiceGroup
from statusapp.models.heartbeat import Heartbeat, HeartbeatPing
from statusapp.models.incidents import (
    Incident,
    IncidentEndpoint,
    IncidentUpdate,
    MaintenanceOccurrence,
    MaintenanceTarget,
    MaintenanceUpdate,
    MaintenanceWindow,
)
from statusapp.models.ledger import StatusChangeRow, UptimeDay, UptimeStrip
from statusapp.models.page import DailyReport, EncryptionKey, StatusPageSettings
from statusapp.models.requests import (
    IngestToken,
    RequestBatch,
    RequestClient,
    RequestClientDay,
    RequestError,
    RequestErrorClient,
    RequestLog,
    RequestLoss,
    RequestRollup,
    TrackedHost,
    TrackedRoute,
)
from statusapp.models.schedule import CheckWindow, PeriodicTask
from statusapp.models.system import ExternalReading, MetricHost, SystemMetric, SystemMetricHour
from statusapp.models.watermark import Watermark

__all__ = [
    "Alert",
    "AlertDelivery",
    "AlertRule",
    "ApiAccessToken",
    "ApiClient",
    "AuditEntry",
    "ChannelState",
    "CheckDetail",
    "CheckWindow",
    "DailyReport",
    "EncryptionKey",
    "EndpointDependency",
    "EndpointState",
    "EndpointTag",
    "ExternalReading",
    "FirstAccount",
    "HealthCheck",
    "Heartbeat",
    "HeartbeatPing",
    "Incident",
    "IncidentEndpoint",
    "IncidentUpdate",
    "IngestToken",
    "LatencyRollup",
    "MaintenanceOccurrence",
    "MaintenanceTarget",
    "MaintenanceUpdate",
    "MaintenanceWindow",
    "MessageText",
    "MetricHost",
    "NotificationChannel",
    "PasswordLink",
    "PeriodicTask",
    "RequestBatch",
    "RequestClient",
    "RequestClientDay",
    "RequestError",
    "RequestErrorClient",
    "RequestLog",
    "RequestLoss",
    "RequestRollup",
    "ServiceEndpoint",
    "ServiceGroup",
    "StatusChangeRow",
    "StatusPageSettings",
    "SystemMetric",
    "SystemMetricHour",
    "TrackedHost",
    "TrackedRoute",
    "UptimeDay",
    "UptimeStrip",
    "User",
    "UserSession",
    "Watermark",
]
