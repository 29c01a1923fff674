"""Where the person is in a picture: MediaPipe's selfie segmentation as a soft mask."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engines.errors import ToonifyError, reason
from engines.faces.landmarker import quiet_stderr
from engines.faces.mediapipe_start import importing_mediapipe

MODEL_PATH = Path(__file__).parent / "assets" / "selfie_segmentation.tflite"
METADATA_NAME = "TFLITE_METADATA"  # where MediaPipe Tasks look inside a TFLite file
METADATA_IDENTIFIER = b"M001"


class PersonSegmenterError(ToonifyError):
    """The person segmenter cannot be built or was given something that is not a picture."""


def with_normalization(model: bytes, mean: float = 0.0, std: float = 255.0) -> bytes:
    """Return a copy of a TFLite model that tells MediaPipe Tasks how to scale its input.

    The published segmentation model carries no metadata, and MediaPipe's `ImageSegmenter`
    refuses float models without it. The network expects RGB in 0..1; MediaPipe computes
    `(value - mean) / std` from the 8-bit values, hence 0 and 255.
    """
    import flatbuffers

    with importing_mediapipe():
        from mediapipe.tasks.metadata import metadata_schema_py_generated as metadata_schema
        from mediapipe.tasks.metadata import schema_py_generated as model_schema

    options = metadata_schema.NormalizationOptionsT()
    options.mean, options.std = [mean], [std]
    unit = metadata_schema.ProcessUnitT()
    unit.optionsType = metadata_schema.ProcessUnitOptions.NormalizationOptions
    unit.options = options
    picture = metadata_schema.TensorMetadataT()
    picture.name = "image"
    picture.processUnits = [unit]
    mask = metadata_schema.TensorMetadataT()
    mask.name = "mask"
    graph = metadata_schema.SubGraphMetadataT()
    graph.inputTensorMetadata, graph.outputTensorMetadata = [picture], [mask]
    description = metadata_schema.ModelMetadataT()
    description.name = "selfie segmentation"
    description.subgraphMetadata = [graph]

    builder = flatbuffers.Builder(0)
    builder.Finish(description.Pack(builder), METADATA_IDENTIFIER)

    network = model_schema.ModelT.InitFromPackedBuf(model, 0)
    buffer = model_schema.BufferT()
    buffer.data = np.frombuffer(bytes(builder.Output()), np.uint8)
    network.buffers.append(buffer)
    entry = model_schema.MetadataT()
    entry.name, entry.buffer = METADATA_NAME, len(network.buffers) - 1
    network.metadata = [*(network.metadata or []), entry]
    builder = flatbuffers.Builder(len(model))
    builder.Finish(network.Pack(builder), b"TFL3")
    return bytes(builder.Output())


class PersonSegmenter:
    """Soft person masks, one picture at a time, on the CPU.

    Each mask depends on its picture alone (no smoothing over time). Not thread-safe: give each
    thread its own segmenter. Use it as a context manager or call `close`.
    """

    def __init__(self, model_path: Path = MODEL_PATH) -> None:
        with importing_mediapipe():
            import mediapipe
            from mediapipe.tasks.python import BaseOptions, vision

        try:
            model = with_normalization(model_path.read_bytes())
        except OSError as error:
            raise PersonSegmenterError(
                f"The person segmentation model was expected at {model_path} but cannot be read "
                f"({reason(error)}); reinstall the package."
            ) from error
        self._image: Any = mediapipe.Image
        self._format: Any = mediapipe.ImageFormat.SRGB
        options = vision.ImageSegmenterOptions(
            base_options=BaseOptions(model_asset_buffer=model),
            output_confidence_masks=True,
            output_category_mask=False,
        )
        with quiet_stderr():
            self._segmenter: Any = vision.ImageSegmenter.create_from_options(options)

    def segment(self, rgb: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Return the probability of person per pixel: uint8 [H, W, 3] RGB -> float32 [H, W], 0..1.

        The network itself looks at a 256 x 256 copy; best results come from square head-and-
        shoulder crops.
        """
        if rgb.dtype != np.uint8 or rgb.ndim != 3 or rgb.shape[2] != 3 or 0 in rgb.shape:
            raise PersonSegmenterError(
                "A uint8 RGB picture of shape [height, width, 3] was expected, found "
                f"{rgb.dtype} {list(rgb.shape)}; convert the picture first."
            )
        picture = self._image(image_format=self._format, data=np.ascontiguousarray(rgb))
        mask = self._segmenter.segment(picture).confidence_masks[0].numpy_view()
        return np.clip(mask.reshape(rgb.shape[:2]), 0.0, 1.0).astype(np.float32)

    def close(self) -> None:
        """Free the native network."""
        self._segmenter.close()

    def __enter__(self) -> PersonSegmenter:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
