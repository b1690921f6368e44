"""Networks as people write them who have no reason to know how a network is kept."""

from __future__ import annotations

import keras
from keras import layers


class Doubled(layers.Layer):
    def call(self, x):
        return 2 * x


@keras.saving.register_keras_serializable()
class Registered(layers.Layer):
    def call(self, x):
        return 2 * x


class Subclassed(keras.Model):
    def __init__(self, classes: int) -> None:
        super().__init__()
        self.out = layers.Dense(classes, activation="softmax")

    def call(self, x):
        return self.out(x)


def swish_of_mine(x):
    return x * keras.ops.sigmoid(x)


def network(size: int, channels: int, *rest: keras.Layer) -> keras.Model:
    return keras.Sequential([keras.Input((size, size, channels)), layers.GlobalAveragePooling2D(), *rest])


def softmax_layer(*, size, channels, classes):
    return network(size, channels, layers.Dense(classes), layers.Softmax())


def activation_layer(*, size, channels, classes):
    return network(size, channels, layers.Dense(classes), layers.Activation("softmax"))


def softmax_inside(*, size, channels, classes):
    inner = keras.Sequential([keras.Input((channels,)), layers.Dense(classes, activation="softmax")])
    return network(size, channels, inner)


def leaky_penalised(*, size, channels, classes):
    dense = layers.Dense(
        4, activation=layers.LeakyReLU(), kernel_regularizer=keras.regularizers.L1L2(0.01, 0.02)
    )
    return network(size, channels, dense, layers.Dense(classes, activation="softmax"))


def with_lambda(*, size, channels, classes):
    return network(size, channels, layers.Lambda(lambda x: x), layers.Dense(classes, activation="softmax"))


def own_layer(*, size, channels, classes):
    return network(size, channels, Doubled(name="twice"), layers.Dense(classes, activation="softmax"))


def registered_layer(*, size, channels, classes):
    return network(size, channels, Registered(name="twice"), layers.Dense(classes, activation="softmax"))


def own_activation(*, size, channels, classes):
    return network(
        size, channels, layers.Dense(4, activation=swish_of_mine), layers.Dense(classes, activation="softmax")
    )


def subclassed(*, size, channels, classes):
    return Subclassed(classes)


def without_input(*, size, channels, classes):
    return keras.Sequential([layers.Flatten(), layers.Dense(classes, activation="softmax")])


def any_size(*, size, channels, classes):
    inputs = keras.Input((None, None, channels))
    return keras.Model(
        inputs, layers.Dense(classes, activation="softmax")(layers.GlobalAveragePooling2D()(inputs))
    )


def two_outputs(*, size, channels, classes):
    inputs = keras.Input((size, size, channels))
    x = layers.GlobalAveragePooling2D()(inputs)
    return keras.Model(inputs, [layers.Dense(classes, activation="softmax")(x) for _ in range(2)])


def named_output(*, size, channels, classes):
    inputs = keras.Input((size, size, channels))
    x = layers.GlobalAveragePooling2D()(inputs)
    return keras.Model(inputs, {"answer": layers.Dense(classes, activation="softmax")(x)})


def relu_end(*, size, channels, classes):
    return network(size, channels, layers.Dense(classes, activation="relu"))


def dropout_end(*, size, channels, classes):
    return network(size, channels, layers.Dense(classes, activation="softmax"), layers.Dropout(0.5))


def undefined(*, size, channels, classes):
    zero = layers.Rescaling(float("inf"))
    return network(size, channels, zero, layers.Dense(classes, activation="softmax"))


def too_small(*, size, channels, classes):
    pooled = [layers.MaxPooling2D(4) for _ in range(4)]
    ends = (layers.Flatten(), layers.Dense(classes, activation="softmax"))
    return keras.Sequential([keras.Input((size, size, channels)), *pooled, *ends])


def softmax_function(*, size, channels, classes):
    inputs = keras.Input((size, size, channels))
    x = layers.Dense(classes)(layers.GlobalAveragePooling2D()(inputs))
    return keras.Model(inputs, keras.activations.softmax(x))


def fails(*, size, channels, classes):
    return {}["x"]


def exits(*, size, channels, classes):
    raise SystemExit("bye")
