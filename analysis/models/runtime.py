"""TensorFlow set up so that the same seed gives the same bits."""

from __future__ import annotations

import keras
import tensorflow as tf

from analysis.errors import AnalysisError


def start(seed: int) -> None:
    """Forget earlier models, switch determinism on and seed every random generator.

    Sums are split by the number of threads, so the last bits depend on it: TensorFlow takes it from the
    environment variable ``TF_NUM_INTRAOP_THREADS``, which whoever starts the process sets.

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
    tf.config.experimental.enable_op_determinism()
    # A user's own keras.json may say otherwise.
    keras.config.set_floatx("float32")
    keras.config.set_dtype_policy("float32")
    keras.config.set_image_data_format("channels_last")
    keras.utils.clear_session()
    keras.utils.set_random_seed(seed)
