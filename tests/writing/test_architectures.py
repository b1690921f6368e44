"""Networks as they stand in the table of architectures: blocks, branches, and what is said once."""

from __future__ import annotations

from report.writing.architectures import Layer, find_shared, read_network, tell_apart


def row(
    name: str, kind: str, settings: str = "", inputs: str = "", shape: str = "8 x 8 x 4"
) -> dict[str, str]:
    return {"name": name, "type": kind, "settings": settings, "output_shape": shape, "inputs": inputs}


def convolution(name: str, settings: str, inputs: str, *, relu: bool = True) -> list[dict[str, str]]:
    """Return a convolution without bias, what normalises it, and its activation."""
    layers = [
        row(name, "Conv2D", f"{settings}, no bias", inputs),
        row(f"{name}_norm", "BatchNormalization", "", name),
    ]
    return [*layers, row(f"{name}_relu", "Activation", "ReLU", f"{name}_norm")] if relu else layers


RESIDUAL = [
    row("image", "InputLayer", shape="16 x 16 x 3"),
    *convolution("stem", "4 filters 5 x 5", "image"),
    row("pool", "MaxPooling2D", "2 x 2, stride 2 x 2", "stem_relu"),
    *convolution("first", "4 filters 3 x 3", "pool"),
    *convolution("second", "4 filters 3 x 3", "first_relu", relu=False),
    row("add", "Add", "", "pool second_norm"),
    row("out", "Activation", "ReLU", "add"),
    # As Keras lists them: the two branches by turns.
    *convolution("third", "8 filters 3 x 3, stride 2 x 2", "out", relu=False),
    row("mean", "AveragePooling2D", "", "out"),
    row("third_relu", "Activation", "ReLU", "third_norm"),
    *convolution("beside", "8 filters 1 x 1", "mean", relu=False),
    *convolution("fourth", "8 filters 3 x 3", "third_relu", relu=False),
    row("add_1", "Add", "", "beside_norm fourth_norm"),
    row("out_1", "Activation", "ReLU", "add_1"),
    row("global", "GlobalAveragePooling2D", "", "out_1", "8"),
    row("last", "Dense", "4 units, softmax", "global", "4"),
]


def test_residual_blocks_have_their_branches_and_normalisation_is_said_once():
    network = read_network(RESIDUAL)
    assert (network.normalised, network.features, len(network.blocks)) == (True, "8", 3)
    same, changed = network.blocks[1][0], network.blocks[2][0]
    assert same == Layer(
        "Add",
        "",
        ("ReLU",),
        ((Layer("Conv2D", "4 filters 3 × 3", ("ReLU",)), Layer("Conv2D", "4 filters 3 × 3")), ()),
    )
    main, shortcut = changed.branches
    assert [layer.size for layer in main] == ["8 filters 3 × 3", "8 filters 3 × 3"]
    assert [layer.kind for layer in shortcut] == ["AveragePooling2D", "Conv2D"]


def test_a_network_with_one_plain_convolution_tells_normalisation_layer_by_layer():
    plain = row("plain", "Conv2D", "4 filters 3 x 3, ReLU", "stem_relu")
    network = read_network([*RESIDUAL[:4], plain, *RESIDUAL[-2:]])
    assert not network.normalised
    assert [(layer.kind, layer.others) for layer in network.blocks[0]] == [
        ("Conv2D", ("no bias",)),
        ("BatchNormalization", ("ReLU",)),
        ("Conv2D", ("ReLU",)),
    ]


def test_what_all_layers_have_is_found_within_branches_too():
    padded = [
        {**layer, "settings": layer["settings"] + ", same padding"} if layer["type"] == "Conv2D" else layer
        for layer in RESIDUAL
    ]
    network = read_network(padded)
    shared = find_shared([network])
    assert shared["Conv2D"] == ["same padding"]
    apart = tell_apart(network, shared)
    assert all(
        "same padding" not in layer.others
        for block in apart.blocks
        for joined in block
        for layer in (joined, *(inner for branch in joined.branches for inner in branch))
    )


def test_what_is_frozen_in_a_network_inside_another_is_told_of_that_network():
    inside = row("inside", "Functional", "inside: 42 layers, 0 of them frozen", "input")
    network = read_network([RESIDUAL[0], inside])
    assert find_shared([network]) == {}
    assert "0 of them frozen" in network.blocks[0][0].others
