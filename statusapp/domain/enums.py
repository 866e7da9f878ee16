"""The closed sets that are stored as small integers. A number, once given, never changes its meaning."""

from __future__ import annotations

from enum import IntEnum


class _Named(IntEnum):
    """An integer for the database with a word for everything that people and programs read."""

    @property
    def word(self) -> str:
        """The name as JSON, CSS classes and logs show it."""
        return self.name.lower()


class Status(_Named):
    """What is said of a service. Silence is not health: without a fresh result it is `UNKNOWN`."""

    UNKNOWN = 0
    OPERATIONAL = 1
    DEGRADED = 2
    PARTIAL_OUTAGE = 3
    MAJOR_OUTAGE = 4
    MAINTENANCE = 5


class Outcome(_Named):
    """What one check found. Slow is an answer that is good but late, or that a condition calls degraded.

    An internal error is our own fault and never counts against the target; nor does waiting, which is a heartbeat that
    has not come for the first time.
    """

    OK = 0
    SLOW = 1
    FAILED = 2
    INTERNAL_ERROR = 3
    WAITING = 4


class CheckKind(_Named):
    """Why a check was made."""

    SCHEDULED = 0
    RETRY = 1
    MANUAL = 2


class ErrorKind(_Named):
    """Where a check broke off; `NONE` for an answer that was as expected."""

    NONE = 0
    DNS = 1
    CONNECT = 2
    TIMEOUT = 3
    TLS = 4
    PROTOCOL = 5
    STATUS_CODE = 6
    INTERNAL = 7
    CONDITION = 8
    REFUSED = 9
    CERTIFICATE = 10
    LATE = 11
    REPORTED = 12


class PingSignal(_Named):
    """What a ping says: the job is done, it has begun, or it has failed."""

    SUCCESS = 0
    START = 1
    FAIL = 2


class Rule(_Named):
    """The rule that put a service into its status; stored with every change, so that a page can be explained."""

    CREATED = 0
    FIRST_RESULT = 1
    FAILED_IN_A_ROW = 2
    RECOVERED = 3
    ON_AND_OFF = 4
    SETTLED = 5
    SLOW_IN_A_ROW = 6
    FAST_AGAIN = 7
    NOT_CHECKED = 8
    MAINTENANCE_STARTED = 9
    MAINTENANCE_ENDED = 10
    PAUSED = 11
    RESUMED = 12


class ClientKind(_Named):
    """What a request is counted under: who was signed in, or where it came from."""

    USER = 0
    ADDRESS = 1


class ExternalStatus(_Named):
    """How a service that others run for us does. Unknown is when it could not be asked."""

    UNKNOWN = 0
    OK = 1
    DEGRADED = 2
    DOWN = 3


class Severity(_Named):
    """How urgent an alert is."""

    INFO = 0
    WARNING = 1
    CRITICAL = 2


class AlertKind(_Named):
    """What is watched for."""

    DOWN = 0
    SLOW = 1
    CHECK_ERRORS = 2
    REQUEST_ERRORS = 3
    REQUESTS_SLOW = 4
    NEW_ERROR = 5
    CPU = 6
    MEMORY = 7
    DISK = 8
    LOAD = 9
    CERTIFICATE = 10
    HEARTBEAT_LATE = 11
    MONITOR = 12


class Transition(_Named):
    """What a message tells of: an alert has begun, goes on, is over or comes and goes; or no alert at all.

    One about maintenance has a `MaintenancePhase`.
    """

    FIRED = 0
    REMINDED = 1
    RESOLVED = 2
    FLAPPING = 3
    REPORT = 4
    TEST = 5
    MAINTENANCE = 6


class MaintenancePhase(_Named):
    """How far planned work is: it has been announced, has begun, is over, or will not be (or goes on no longer)."""

    ANNOUNCED = 0
    STARTED = 1
    ENDED = 2
    CANCELLED = 3


class DeliveryState(_Named):
    """What has become of a message. A failed one is tried again, one that was given up is not.

    Skipped is what nobody had to be told any more: over before its quiet hours were.
    """

    QUEUED = 0
    SENT = 1
    FAILED = 2
    GAVE_UP = 3
    SKIPPED = 4


class IncidentStatus(_Named):
    """How far people are with an incident."""

    INVESTIGATING = 0
    IDENTIFIED = 1
    MONITORING = 2
    RESOLVED = 3
    POST_MORTEM = 4


class Impact(_Named):
    """How much an incident hurts, in the words of Statuspage."""

    NONE = 0
    MINOR = 1
    MAJOR = 2
    CRITICAL = 3


class IncidentMode(_Named):
    """What an alert does about incidents: nothing, open a draft, or open one that the public sees."""

    OFF = 0
    DRAFT = 1
    PUBLIC = 2


class Role(_Named):
    """What an account may do; each role includes the ones before it."""

    VIEWER = 0
    STAFF = 1
    OWNER = 2


class Scope(_Named):
    """What a token may be for. Stored as a bit each of one number."""

    READ = 0
    WRITE = 1
    ADMIN = 2
    INGEST = 3


class ApiClientKind(_Named):
    """How a program shows who it is: by a token, or by an application's secret for which it gets tokens (OAuth 2)."""

    TOKEN = 0
    APPLICATION = 1


class AuditAction(_Named):
    """What somebody did."""

    ADDED = 0
    CHANGED = 1
    DELETED = 2
    SIGNED_IN = 3
    ENDED_SESSIONS = 4
    MADE_LINK = 5
    TRIED = 6


class AuditKind(_Named):
    """What something was done to."""

    ACCOUNT = 0
    SERVICE = 1
    GROUP = 2
    CHANNEL = 3
    RULE = 4
    ALERT = 5
    INCIDENT = 6
    MAINTENANCE = 7
    PAGE = 8
    TEXT = 9
    TOKEN = 10
    ROUTE = 11
    REPORT = 12
    API_TOKEN = 13
    APPLICATION = 14
