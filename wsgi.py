"""The web application for any WSGI server: `gunicorn wsgi:app`."""

import gc

from statusapp import create_app

app = create_app()
# What has been imported is never garbage; to look through all of it takes longer than most answers.
gc.collect()
gc.freeze()
