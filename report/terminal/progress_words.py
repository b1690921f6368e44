"""What a build tells while it runs, in words."""

from __future__ import annotations

from collections.abc import Mapping

from report.engine.events import Finished, Planned, Progressed
from report.terminal.forecast import Forecast, TimeLeft
from report.terminal.quantities import format_duration


def describe_plan(event: Planned, forecast: Forecast) -> str:
    """Return how much is to do, and how long it takes; "" if it is nothing."""
    if not event.waiting:
        return ""
    cached = f"{forecast.finished} cached, " if forecast.finished else ""
    takes = _describe_time(forecast.predict_build(0.0), "by earlier runs") or ", for the first time"
    return f"{count_stages(event.total)}: {cached}{len(event.waiting)} to run{takes}"


def describe_progress(event: Progressed) -> str:
    """Return ``epoch 3 of 10, loss 0.913, 74 images/s`` or ``1,200 of 6,504 images``."""
    if event.unit == "epochs":
        return f"epoch {event.done} of {event.total}, {_describe_figures(event.figures)}"
    return _describe_figures(event.figures) or f"{event.done:,} of {event.total:,} {event.unit}"


def _describe_figures(figures: Mapping[str, float]) -> str:
    words = [
        f"{name.replace('val_', 'validation ')} {value:.3f}"
        for name, value in figures.items()
        if name not in {"epoch", "images_per_second"}
    ]
    if "epoch" in figures:
        words.insert(0, f"epoch {figures['epoch']:.0f}")
    if "images_per_second" in figures:
        words.append(f"{figures['images_per_second']:.0f} images/s")
    return ", ".join(words)


def describe_end(event: Finished) -> str:
    """Return how a stage has come to its result, and of one that ran how long that took."""
    match event.outcome:
        case "cached":
            return "comes out as before"
        case "fetched":
            return "from the shared cache"
        case "same":
            return f"the same bytes again in {format_duration(event.seconds)}"
        case "ran":
            return format_duration(event.seconds)


def describe_time_left(left: TimeLeft) -> str:
    """Return ``, about 5 min 10 s left``; "" if nothing is known."""
    return _describe_time(left, "left")


def _describe_time(left: TimeLeft, what: str) -> str:
    if left.seconds < 1:
        return ""
    return f", {'about' if left.complete else 'more than'} {format_duration(left.seconds)} {what}"


def count_stages(count: int) -> str:
    """Return ``1 stage`` or ``7 stages``."""
    return "1 stage" if count == 1 else f"{count} stages"
