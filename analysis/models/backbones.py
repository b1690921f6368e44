"""Networks that others have trained on ImageNet, in one table; nothing here needs Keras."""

from __future__ import annotations

from dataclasses import dataclass

STORAGE = "https://storage.googleapis.com/tensorflow/keras-applications"
ZERO, ONE = (0.0, 0.0, 0.0), (1.0, 1.0, 1.0)
HALF = (127.5, 127.5, 127.5)
BLUE_GREEN_RED = (103.939, 116.779, 123.68)
"""Of the channels in the order in which VGG has them: a grey image is the same in any."""


@dataclass(frozen=True)
class Backbone:
    """A network without its head, as Keras brings it.

    Parameters
    ----------
    title : str
        What it is called.
    builder : str
        Its function in ``keras.applications``.
    size : int
        Side of the images that it was trained on, in pixels.
    mean, deviation : tuple of three floats
        Of the channels: it was trained on ``(level - mean) / deviation`` of levels from 0 to 255.
    url : str
        Where Keras has its weights; the last part is the name of the file.
    md5 : str
        The digest that Keras knows of the file; "" where it knows none.
    """

    title: str
    builder: str
    size: int
    mean: tuple[float, float, float]
    deviation: tuple[float, float, float]
    url: str
    md5: str

    @property
    def file(self) -> str:
        """The name of the file of its weights."""
        return self.url.rpartition("/")[2]


BACKBONES = {
    "vgg16": Backbone(
        *("VGG16", "VGG16", 224, BLUE_GREEN_RED, ONE),
        f"{STORAGE}/vgg16/vgg16_weights_tf_dim_ordering_tf_kernels_notop.h5",
        "6d6bbae143d832006294945121d1f1fc",
    ),
    "vgg19": Backbone(
        *("VGG19", "VGG19", 224, BLUE_GREEN_RED, ONE),
        f"{STORAGE}/vgg19/vgg19_weights_tf_dim_ordering_tf_kernels_notop.h5",
        "253f8cb515780f3b799900260a226db6",
    ),
    "resnet50v2": Backbone(
        *("ResNet50V2", "ResNet50V2", 224, HALF, HALF),
        f"{STORAGE}/resnet/resnet50v2_weights_tf_dim_ordering_tf_kernels_notop.h5",
        "fac2f116257151a9d068a22e544a4917",
    ),
    "mobilenetv2": Backbone(
        *("MobileNetV2", "MobileNetV2", 224, HALF, HALF),
        f"{STORAGE}/mobilenet_v2/mobilenet_v2_weights_tf_dim_ordering_tf_kernels_1.0_224_no_top.h5",
        "",
    ),
    "xception": Backbone(
        *("Xception", "Xception", 299, HALF, HALF),
        f"{STORAGE}/xception/xception_weights_tf_dim_ordering_tf_kernels_notop.h5",
        "b0042744bf5b25fce3cb969f33bebb97",
    ),
    "densenet121": Backbone(
        *("DenseNet121", "DenseNet121", 224, (123.675, 116.28, 103.53), (58.395, 57.12, 57.375)),
        f"{STORAGE}/densenet/densenet121_weights_tf_dim_ordering_tf_kernels_notop.h5",
        "30ee3e1110167f948a6b9946edeeb738",
    ),
    "efficientnetb0": Backbone(  # which scales its images itself
        *("EfficientNetB0", "EfficientNetB0", 224, ZERO, ONE),
        "https://storage.googleapis.com/keras-applications/efficientnetb0_notop.h5",
        "50bc09e76180e00e4465e1a485ddc09d",
    ),
}
