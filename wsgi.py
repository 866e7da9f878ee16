"""The web application for any WSGI server: `gunicorn wsgi:app`."""

from statusapp import create_app

app = create_app()
