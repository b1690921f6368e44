"""The command line: which commands there are, and how an error ends one."""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Callable
from io import TextIOWrapper
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from analysis.errors import AnalysisError, DataError, WeightsError
from report import __version__
from report.commands import (
    audit,
    build,
    cache,
    compare,
    data,
    export,
    external_test,
    inspect,
    predict,
    studies,
    trial,
    verify,
    write,
)
from report.engine.system.files import FULL, READ_ONLY
from report.errors import (
    DATA,
    INTERNAL,
    OK,
    STUDY,
    USAGE,
    WEIGHTS,
    EnvironmentProblem,
    ReportError,
    UsageError,
    did_you_mean,
    nearest,
)
from report.terminal import console
from report.terminal.signals import Stopped, ignore_signals, raise_on_signals

DISK_REFUSALS = FULL | READ_ONLY
"""What a disk answers that is full, or for reading only, or somebody else's."""


def _list_examples(*commands: str) -> str | None:
    return "\b\n" + "\n".join(["Examples:", *(f"  {command}" for command in commands)]) if commands else None


class Commands(TyperGroup):
    """A group of commands: its help has them by panel, and one that is not there is answered with the nearest."""

    def format_commands(self, ctx: Any, formatter: Any) -> None:
        """Write the commands of each panel; Rich, which would do it, takes half of the time of this help."""
        panels: dict[str, list[tuple[str, str]]] = {}
        for name, command in self.commands.items():
            panel = getattr(command, "rich_help_panel", None)
            panels.setdefault(panel or "Commands", []).append((name, command.get_short_help_str(sys.maxsize)))
        for panel, rows in panels.items():
            with formatter.section(panel):
                formatter.write_dl(rows)

    def resolve_command(self, ctx: Any, args: list[str]) -> tuple[str | None, Any, list[str]]:
        """Return the name, the command and its arguments."""
        name = args[0]
        if name not in self.commands and not name.startswith("-"):
            names = [repr(known) for known in nearest(name, self.commands)]
            raise UsageError(f"no such command {name!r}", did_you_mean(names, f"{ctx.command_path} --help"))
        return super().resolve_command(ctx, args)


app = typer.Typer(
    cls=Commands,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
    help="Build the reproducible report of a chest X-ray image-classification study.",
    epilog=_list_examples(
        "report build --sample",
        "report build assignment --data DIR",
        "report status assignment --data DIR",
        "report predict chest.jpeg --model residual@seed_42",
    ),
)
data_app = typer.Typer(
    cls=Commands,
    no_args_is_help=True,
    rich_markup_mode=None,
    help="Look at data, or write the generated sample.",
)
app.add_typer(data_app, name="data", rich_help_panel="Data")
cache_app = typer.Typer(
    cls=Commands,
    no_args_is_help=True,
    rich_markup_mode=None,
    help="Look after the results that are kept.",
)
app.add_typer(cache_app, name="cache", rich_help_panel="Housekeeping")


def _add(panel: str, command: Callable[..., None], *examples: str) -> None:
    name = command.__name__.strip("_")  # of try_, which is a word of Python
    app.command(name, rich_help_panel=panel, epilog=_list_examples(*examples))(command)


_add(
    "Build",
    build.build,
    "report build --sample",
    "report build assignment --data ~/.darwin/datasets/v7-labs/covid-19-chest-x-ray-dataset",
    "report build assignment --data DIR --only baseline --set models.baseline.epochs=3",
)
_add("Understand", inspect.status)
_add("Understand", inspect.why, "report why train.baseline --sample")
_add("Understand", inspect.log)
_add("Understand", inspect.graph, "report graph assignment --sample --out graph.svg")
_add("Write", write.document)
_add("Write", write.preview, "report preview --sample", "report preview assignment --data DIR")
_add("Understand", studies.models)
_add("Understand", compare.compare, "report compare assignment --data DIR")
_add(
    "Use",
    predict.predict,
    "report predict chest.jpeg --model residual@seed_42",
    "report predict images/ more.txt --model residual@seed_42 --csv",
    "report predict chest.jpeg --model network/model.keras --json",
)
_add("Use", trial.try_, "report try", "report try --model residual@seed_42 --study assignment")
_add("Use", export.export, "report export network --model residual@seed_42")
_add("Use", external_test.test, "report test --model baseline --data DIR --match NORMAL=healthy")
_add("Use", verify.verify, "report verify build/assignment")
_add("Data", studies.studies)
_add("Data", audit.audit, "report audit DIR", "report audit DIR --strict --out findings")
_add("Write", studies.new, "report new my-study")
_add("Write", write.template, "report template comparison --study my-study")
_add("Housekeeping", cache.gc, "report gc --dry-run", "report gc --max-size 5G")
data_app.command()(data.check)
data_app.command()(data.sample)
cache_app.command()(cache.check)


def _print_version(asked: bool) -> None:
    if asked:
        console.say(f"xray-report {__version__}")
        raise typer.Exit(OK)


@app.callback()
def options(
    debug: Annotated[bool, typer.Option("--debug", help="Show the traceback of an error.")] = False,
    version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print it.")
    ] = False,
) -> None:
    """Build the reproducible report of a chest X-ray image-classification study."""
    if debug:
        os.environ["REPORT_DEBUG"] = "1"


def main() -> None:
    """Run the command line; an error is one line and a hint, with the exit code of its kind."""
    os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "1")  # it would look through all that is installed
    if isinstance(sys.stdout, TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")  # as standard error: a name may be no text here
    raise_on_signals()
    try:
        sys.exit(app(prog_name="report", standalone_mode=False))
    except typer.TyperException as error:
        complain_of_usage(error)
        sys.exit(USAGE)
    except Stopped as stop:
        ignore_signals()
        console.complain(f"{stop}, what is finished is kept", "the same command goes on where it was")
        sys.exit(128 + stop.number)
    except Exception as error:
        if os.environ.get("REPORT_DEBUG"):
            raise
        problem = find_disk_problem(error) or error
        console.complain(*console.describe_error(problem))
        sys.exit(find_exit_code(problem))


def complain_of_usage(error: typer.TyperException) -> None:
    """Print what is wrong with the options as a line and a hint: the nearest names, or where the help is."""
    names = getattr(error, "possibilities", None)
    message = error.message if names else error.format_message()
    context = getattr(error, "ctx", None)
    if context and message == context.get_help():  # it was called without words
        console.say(message)
        return
    help_command = f"{context.command_path if context else 'report'} --help"
    console.complain(message[0].lower() + message[1:], did_you_mean(names or (), help_command))


def find_disk_problem(error: BaseException) -> EnvironmentProblem | None:
    """Return the error of a disk that refuses, in words and with the place; None for any other error."""
    if not isinstance(error, OSError):
        return None
    if _lacks_temporary_folder(error):
        return EnvironmentProblem(f"{error.strerror}", hint="set TMPDIR to a folder that is yours")
    if error.errno not in DISK_REFUSALS:
        return None
    place = f"{error.filename}: " if error.filename else ""
    return EnvironmentProblem(
        f"{place}{error.strerror}",
        hint="use folders that are yours: --cache DIR, --out DIR, or a clone of your own",
    )


def _lacks_temporary_folder(error: OSError) -> bool:
    """Tell whether Python finds no folder for temporary files: then it names none in its error."""
    if not isinstance(error, FileNotFoundError) or error.filename:
        return False
    try:
        tempfile.gettempdir()
    except FileNotFoundError:
        return True
    return False


def find_exit_code(error: BaseException) -> int:
    """Return the exit code of the table in `report.errors` that belongs to ``error``."""
    match error:
        case ReportError():
            return error.code
        case WeightsError():
            return WEIGHTS
        case DataError():
            return DATA
        case AnalysisError():
            return STUDY
        case _:
            return INTERNAL
