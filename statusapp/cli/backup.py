"""Commands that bring the whole database to safety, and back."""

from __future__ import annotations

import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import click

from statusapp.cli.database import with_database
from statusapp.clock import utcnow
from statusapp.domain.errors import DomainError
from statusapp.services.backup import BackupReport, make_backup
from statusapp.services.backup_files import Contents, Progress
from statusapp.services.restore import open_restore

KEY_IS_APART = (
    "The encryption key is not in it. Keep that apart (ENCRYPTION_KEY, or the file encryption_key in INSTANCE_PATH): "
    "without it the backup cannot be restored."
)


@click.command("backup")
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--force", is_flag=True, help="Replace FILE when it is there.")
def back_up(file: Path, force: bool) -> None:
    """Write the whole database to FILE, while everything goes on. It can be restored into SQLite and PostgreSQL."""

    def work() -> BackupReport:
        with _bar("Backing up") as progress:
            return make_backup(file, progress, replace=force)

    with _ending_in_order():
        report = with_database(work)
    click.echo(f"Wrote {report.file}: {report.size / 1e6:,.1f} MB, {_described(report.contents)}.")
    click.echo(KEY_IS_APART)


@click.command("restore")
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--yes", is_flag=True, help="Do not ask.")
def restore(file: Path, yes: bool) -> None:
    """Put the backup FILE in the place of the whole database. The installation must not be running."""
    with _ending_in_order():
        with_database(lambda: _restore(file, yes))


def _restore(file: Path, yes: bool) -> None:
    with open_restore(file, utcnow()) as found:
        click.echo(f"In the database now: {_described(found.present)}.")
        click.echo(f"In the backup: {_described(found.backup)}.")
        if not yes:
            fate = "kept in a file" if found.keeps_present else "lost"
            click.confirm(f"Replace the one by the other? What is there now is {fate}.", abort=True)
        with _bar("Restoring") as progress:
            report = found.carry_out(utcnow(), progress)
    click.echo(f"Restored. Services that are unknown until they are checked again: {report.settled.became_unknown:,}.")
    if report.settled.sessions_ended:
        click.echo("Everybody has to sign in again.")
    if report.kept is not None:
        click.echo(f"The database that was there before is {report.kept}")
    click.echo("Start the installation now: within a minute every service is checked, one after the other.")


def _described(contents: Contents | None) -> str:
    if contents is None:
        return "what cannot be read"
    if contents.revision is None:
        return "nothing"
    newest = contents.newest_check_at
    dated = f", the newest of {newest:%Y-%m-%d %H:%M:%S} UTC" if newest else ""
    return f"{contents.endpoints:,} endpoints, {contents.checks:,} checks{dated}"


@contextmanager
def _bar(label: str) -> Iterator[Progress]:
    """A bar on a terminal, and nothing elsewhere."""
    with click.progressbar(length=1, label=label, hidden=not sys.stdout.isatty()) as bar:

        def progress(done: int, total: int) -> None:
            bar.length = max(total, 1)
            bar.update(done - bar.pos)

        yield progress


@contextmanager
def _ending_in_order() -> Iterator[None]:
    """Tell of a failure in one line, and clean up after SIGTERM as after Ctrl-C."""
    before = signal.signal(signal.SIGTERM, lambda number, _frame: sys.exit(128 + number))
    try:
        yield
    except DomainError as error:
        raise click.ClickException(error.message) from error
    finally:
        signal.signal(signal.SIGTERM, before)
