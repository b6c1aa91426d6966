"""The command line: finds the commands in `bot/console/` and calls the one asked for.

Each command is one file with one `COMMAND`; nothing heavy is imported before a command runs, so
that `--help` answers at once.
"""

from __future__ import annotations

import importlib.util
import pkgutil
import sys
from pathlib import Path

import click

from bot import console
from pipeline.errors import DarkroomError, TryLater

COULD_NOT_RUN = 2


class Commands(click.Group):
    """The modules of `bot.console` that declare a `COMMAND`; imported when they are asked for."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Every command, by name."""
        modules = sorted(module.name for module in pkgutil.iter_modules(console.__path__))
        return [name for name in modules if self.get_command(ctx, name) is not None]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command called `cmd_name`; None if there is no such one."""
        if not cmd_name.isidentifier():
            return None
        name = f"{console.__name__}.{cmd_name}"
        if importlib.util.find_spec(name) is None:
            return None
        module = importlib.import_module(name)
        command: click.Command | None = getattr(module, "COMMAND", None)
        return command


@click.group(
    cls=Commands, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100}
)
@click.option(
    "--home",
    type=click.Path(file_okay=False, path_type=Path),
    envvar="DARKROOM_HOME",
    default=Path("data"),
    show_default="DARKROOM_HOME, else ./data",
    help="Where Darkroom keeps the inbox, the library and its state.",
)
@click.version_option(package_name="darkroom", prog_name="darkroom")
@click.pass_context
def darkroom(context: click.Context, home: Path) -> None:
    """A darkroom for a family's photos and videos.

    Files go in, are checked, understood and sorted into a library; nothing is deleted that was not
    verified elsewhere, and every run can be undone.

    \b
    Start with:
      darkroom process ~/Pictures --dry-run     see what would happen, touch nothing
      darkroom process ~/Pictures               copy everything into the library, safely
      darkroom serve                            keep watching the inbox
    """
    context.obj = home.absolute()


def main() -> None:
    """Run the command line; the exit status is the command's."""
    try:
        sys.exit(darkroom(standalone_mode=False) or 0)
    except click.exceptions.Exit as stop:
        sys.exit(stop.exit_code)
    except click.Abort:
        click.echo("Stopped. Everything finished so far is safe; run it again to go on.", err=True)
        sys.exit(130)
    except click.ClickException as error:
        error.show()
        sys.exit(COULD_NOT_RUN)
    except OSError as error:  # border: a folder of the home that cannot be made, read or written
        where = f" ({error.filename})" if error.filename else ""
        click.secho(f"{error.strerror or error}{where}. Nothing was lost.", err=True, fg="red")
        sys.exit(COULD_NOT_RUN)
    except DarkroomError as error:
        later = " Nothing is lost; try again later." if isinstance(error, TryLater) else ""
        click.secho(f"{error}{later}", err=True, fg="red")
        sys.exit(COULD_NOT_RUN)
