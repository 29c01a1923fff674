"""Eyes and mouth at twice the side of everything else."""

from __future__ import annotations

import pytest
import torch

from engines.networks.fovea import BANDS, EYES, UNITS, Band, Fovea
from engines.networks.photo import enlarged


def test_bands_lie_inside_and_apart() -> None:
    covered = torch.zeros(UNITS, UNITS)
    for band in BANDS:
        rows, columns = band.box(UNITS, margin=2)  # what the convolutions see around them
        assert rows.start >= 0
        assert columns.start >= 0
        assert max(rows.stop, columns.stop) <= UNITS
        rows, columns = band.box(UNITS)
        covered[rows, columns] += 1
    assert covered.max() == 1
    assert 0.1 < covered.mean() < 0.3


def test_a_box_has_its_share_of_any_picture() -> None:
    band = Band(8, 16, 4, 28)
    assert band.size(64) == (16, 48)
    picture = torch.arange(128.0)[None, None, :, None].expand(1, 1, 128, 128)
    assert torch.equal(band.of(picture, margin=1)[0, 0, :, 0], torch.arange(31.0, 65.0))


def test_a_band_fades_into_the_picture_around_it() -> None:
    torch.manual_seed(0)
    fovea, image = Fovea(5, 6), torch.rand(1, 3, 128, 128)
    bands = fovea(torch.rand(1, 5, 64, 64), torch.rand(1, 12, 64, 64), image)
    whole = enlarged(image, 2)
    change = (Fovea.assemble(whole, bands) - whole).abs()
    rows, columns = EYES.box(256)
    inside = change[:, :, rows, columns]
    assert inside[:, :, 20:-20, 20:-20].mean() > 0.005
    assert inside[:, :, 0].mean() < 0.4 * inside[:, :, 20:-20, 20:-20].mean()
    for band in BANDS:
        rows, columns = band.box(256)
        change[:, :, rows, columns] = 0
    assert change.max() == 0


@pytest.mark.parametrize("dtype", [torch.float32, torch.float16])
def test_the_bands_of_an_fp16_network_are_single(dtype: torch.dtype) -> None:
    bands = Fovea(5, 6)(
        torch.rand(1, 5, 32, 32, dtype=dtype),
        torch.rand(1, 12, 32, 32),
        torch.rand(1, 3, 64, 64),
    )
    assert all(band.dtype == torch.float32 for band in bands)
