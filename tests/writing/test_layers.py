"""What differs between the layers of two networks."""

from __future__ import annotations

from report.writing.layers import compare_layers
from report.writing.study_facts import StudyFacts
from report.writing.values import Values
from tests.writing.conftest import STUDY, macro


def network(*layers: tuple[str, str]) -> list[dict[str, str]]:
    return [{"type": kind, "settings": settings} for kind, settings in layers]


def different(*networks) -> dict[str, list[str]]:
    """Return what differs, in the words of the templates."""
    facts = StudyFacts(STUDY, Values({}), {})
    rows = [(of, found) for of, found in compare_layers(networks) if len(set(found)) > 1]
    return {
        macro(facts, "words/layers.kind", of): [
            macro(facts, "words/layers.told", of, each).replace("\\", "") for each in found
        ]
        for of, found in rows
    }


PLAIN = network(
    ("InputLayer", ""),
    ("Conv2D", "8 filters 5 x 5, same padding, ReLU"),
    ("MaxPooling2D", "2 x 2, stride 2 x 2"),
    ("Flatten", ""),
    ("Dense", "16 units, ReLU"),
    ("Dense", "1 units, sigmoid"),
)


def with_settings(**settings: str):
    """Return the network with other settings for the layers of this number."""
    return [{**row, "settings": settings.get(f"at{i}", row["settings"])} for i, row in enumerate(PLAIN)]


def test_equal_networks_differ_in_nothing():
    assert different(PLAIN, PLAIN) == {}


def test_a_penalty_is_the_only_difference_and_says_where_it_lies():
    held = with_settings(at1=PLAIN[1]["settings"] + ", L1 0.005", at4="16 units, ReLU, L1 0.005")
    assert different(PLAIN, held) == {
        "Penalties on kernels": ["none", "L1 0.005 on convolution 1 and dense layer 1"]
    }


def test_kernels_strides_units_and_pools_are_told():
    conv = with_settings(at1="8 filters 4 x 4, stride 2 x 2, same padding, ReLU")
    assert different(PLAIN, conv) == {
        "Convolutions": [
            "8 filters 5 × 5, same padding, ReLU",
            "8 filters 4 × 4, stride 2 × 2, same padding, ReLU",
        ]
    }
    assert different(PLAIN, with_settings(at4="8 units, ReLU"))["Dense layers"] == [
        "16 units, ReLU; 1 unit, sigmoid",
        "8 units, ReLU; 1 unit, sigmoid",
    ]
    assert [*different(PLAIN, with_settings(at2="3 x 2, stride 2 x 2"))] == ["Max-poolings"]


def test_changes_of_pictures_inside_a_network_are_told():
    augmented = [PLAIN[0], *network(("RandomZoom", "-10 to +10 %")), *PLAIN[1:]]
    assert different(PLAIN, augmented) == {"Zoom in the network": ["none", "-10 to +10 %"]}


def test_equal_layers_in_a_row_are_counted():
    dropped = [*PLAIN, *network(("Dropout", "rate 0.4"), ("Dropout", "rate 0.4"), ("Dropout", "rate 0.2"))]
    assert different(PLAIN, dropped) == {"Dropouts": ["none", "rate 0.4 (2 times); rate 0.2"]}


def test_layers_that_only_stand_in_another_order_are_told():
    assert [*different(PLAIN, [*PLAIN[:2], PLAIN[3], PLAIN[2], *PLAIN[4:]])] == ["Order of layers"]
