"""TensorFlow set up so that the same seed gives the same bits."""

from __future__ import annotations

import os

import keras
import tensorflow as tf

from analysis.errors import AnalysisError


def start(seed: int) -> None:
    """Forget earlier models, pin the threads, switch determinism on and seed every random generator.

    Raises
    ------
    AnalysisError
        Keras runs on another backend than TensorFlow.
    """
    if keras.backend.backend() != "tensorflow":
        raise AnalysisError(
            f"Keras runs on {keras.backend.backend()}, the numbers of this project on TensorFlow",
            hint="set the environment variable KERAS_BACKEND=tensorflow",
        )
    _pin_threads()
    tf.config.experimental.enable_op_determinism()
    # A user's own keras.json may say otherwise.
    keras.config.set_floatx("float32")
    keras.config.set_dtype_policy("float32")
    keras.config.set_image_data_format("channels_last")
    keras.utils.clear_session()
    keras.utils.set_random_seed(seed)


def _pin_threads() -> None:
    """Use the thread count of the environment: sums are split by it, so the last bits depend on it."""
    threads = int(os.environ.get("TF_NUM_INTRAOP_THREADS", "0"))
    # A worker that ran a stage before has TensorFlow started, with the same count.
    if threads and tf.config.threading.get_intra_op_parallelism_threads() != threads:
        tf.config.threading.set_intra_op_parallelism_threads(threads)
