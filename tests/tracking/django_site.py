"""A Django project: settings, URLs, views. Started by `set_up` in the process that wants it, which it stays in."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import django
from django.conf import settings
from django.core.management import call_command
from django.core.wsgi import get_wsgi_application
from django.http import FileResponse, HttpRequest, HttpResponse, JsonResponse, StreamingHttpResponse
from django.urls import include, path, re_path


class Handled(Exception):
    """What the project's own middleware turns into an answer."""


class HandlingMiddleware:
    """Answers exceptions by itself, as many projects do."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Answer a request."""
        if request.path == "/middleware-fails/":
            raise LookupError("in a middleware")
        return self._get_response(request)

    def process_exception(self, _request: HttpRequest, exception: Exception) -> HttpResponse | None:
        """Answer an exception."""
        return JsonResponse({"error": "sorry"}, status=503) if isinstance(exception, Handled) else None


def thing(_request: HttpRequest, number: int) -> HttpResponse:
    """A page."""
    return HttpResponse(f"thing {number}")


def fail(_request: HttpRequest, kind: str) -> HttpResponse:
    """A page that fails."""
    raise {"handled": Handled, "unhandled": LookupError}[kind]("nothing here")


def stream(_request: HttpRequest) -> StreamingHttpResponse:
    """A page in parts."""

    def chunks() -> Iterator[bytes]:
        yield b"one"
        yield b"two"

    return StreamingHttpResponse(chunks())


def file(_request: HttpRequest) -> FileResponse:
    """A file."""
    return FileResponse(Path(__file__).open("rb"))


def who(request: HttpRequest) -> HttpResponse:
    """A page that looks at the account."""
    return HttpResponse(str(request.user.is_authenticated))


urlpatterns = [
    path("things/<int:number>/", thing),
    re_path(r"^old/(?P<number>[0-9]{4})/$", thing),
    path("shop/", include([path("cart/<int:number>/", thing)])),
    path("fail/<str:kind>/", fail),
    path("stream/", stream),
    path("file/", file),
    path("who/", who),
    path("nobody/", lambda _request: HttpResponse("nobody")),
]


def set_up(folder: Path) -> Any:
    """The project's WSGI application, with its database in `folder`."""
    settings.configure(
        ALLOWED_HOSTS=["*"],
        DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": str(folder / "db.sqlite3")}},
        INSTALLED_APPS=["django.contrib.auth", "django.contrib.contenttypes", "django.contrib.sessions"],
        LOGGING_CONFIG=None,
        MIDDLEWARE=[
            "django.contrib.sessions.middleware.SessionMiddleware",
            "django.middleware.common.CommonMiddleware",
            "django.contrib.auth.middleware.AuthenticationMiddleware",
            "tests.tracking.django_site.HandlingMiddleware",
            "statusapp.tracking.django_app.TrackingMiddleware",
        ],
        ROOT_URLCONF="tests.tracking.django_site",
        SECRET_KEY="x",
        USE_TZ=True,
    )
    django.setup()
    call_command("migrate", verbosity=0)
    return get_wsgi_application()
