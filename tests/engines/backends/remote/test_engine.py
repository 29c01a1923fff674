from __future__ import annotations

import time

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from engines.backends import BackendError, create_engine
from engines.backends.protocol import PrecisionError
from engines.backends.remote import engine as module
from engines.backends.remote.address import LEAVES
from engines.backends.remote.engine import RemoteEngine
from engines.backends.torch_eager import TorchEngine
from engines.faces.people import people
from engines.networks.toon import ToonNetwork
from engines.pictures import read_picture
from tests.engines.backends.conftest import AGREEMENT, difference
from tests.engines.backends.remote.conftest import MODEL, connect
from tests.engines.backends.remote.server import Service, serving


def test_draws_what_the_network_draws(
    remote: RemoteEngine, reference: TorchEngine, tiny_crops: NDArray[np.uint8]
) -> None:
    drawn, here = remote.run(tiny_crops), reference.run(tiny_crops)
    assert difference(drawn.images, here.images) < 0.01
    assert difference(drawn.masks, here.masks) < 0.01


@pytest.mark.parametrize(("half", "returned"), [(True, 53_248), (False, 77_824)])
def test_where_the_detail_is_taken_from_comes_back_in_half_or_single_precision(
    half: bool,
    returned: int,
    tiny: ToonNetwork,
    service: Service,
    server: str,
    reference: TorchEngine,
    tiny_crops: NDArray[np.uint8],
) -> None:
    service.half = half
    engine = connect(tiny, f"{server}/{MODEL}", [])
    assert engine.wire == (64 * 64 * 3, returned)
    drawn, here = engine.run(tiny_crops), reference.run(tiny_crops)
    assert drawn.details is not None
    assert here.details is not None
    assert drawn.details.dtype == np.float32
    assert np.abs(drawn.details - here.details).max() < 1e-3
    assert (np.abs(drawn.details - here.details).max() < 1e-5) != half
    engine.close()


def test_says_first_that_crops_leave_the_machine(
    remote: RemoteEngine, server: str, said: list[str]
) -> None:
    assert said[0].startswith(LEAVES)
    assert server in said[0]
    assert "not encrypted" in said[0]
    assert said[1].startswith("A face takes 12 kB to the server and 53 kB back")
    assert f"test server 1 at {server}, model tiny" in said[2]
    assert (remote.name, remote.precision, remote.max_batch) == ("remote", "as served", 4)


def test_the_networks_own_name_is_asked_for_if_none_is_given(
    tiny: ToonNetwork, plain: ToonNetwork, server: str, service: Service, said: list[str]
) -> None:
    with pytest.raises(BackendError, match=f"no name to ask a server for.*remote:{server}/MODEL"):
        connect(plain, server, said)
    service.model = tiny.label
    assert "model random-64-film" in connect(tiny, server, said).device


def test_a_model_that_is_not_served_is_named(tiny: ToonNetwork, server: str) -> None:
    with pytest.raises(BackendError, match="serves no model 'film': put it there"):
        connect(tiny, f"{server}/film", [])


def test_another_style_under_the_same_name_is_found_out(
    other_tiny: ToonNetwork, server: str, said: list[str]
) -> None:
    with pytest.raises(BackendError, match="draws something else under the name 'tiny'"):
        connect(other_tiny, f"{server}/{MODEL}", said)


def test_a_network_of_another_size_is_refused(
    plain: ToonNetwork, server: str, said: list[str]
) -> None:
    with pytest.raises(BackendError, match=r"expected crops UINT8 \[-1, 32, 32, 3\], found .*64"):
        connect(plain, f"{server}/{MODEL}", said)


@pytest.mark.parametrize("quality", [100, 95])
def test_a_server_that_hands_back_the_photo_is_never_shown(
    remote: RemoteEngine, service: Service, quality: int
) -> None:
    crop = read_picture(people()[1]).rgb
    photo = np.asarray(cv2.resize(crop, (64, 64), interpolation=cv2.INTER_AREA), np.uint8)
    coded = cv2.imencode(".jpg", photo, (cv2.IMWRITE_JPEG_QUALITY, quality))[1]
    back = np.asarray(cv2.imdecode(coded, cv2.IMREAD_COLOR), np.uint8)
    service.change = lambda arrays: [back[None], *arrays[1:]]
    with pytest.raises(BackendError, match="handed back a photo"):
        remote.run(photo[None])


@pytest.mark.parametrize(
    "change",
    [
        lambda arrays: [arrays[0][:, ::2], *arrays[1:]],
        lambda arrays: [np.concatenate([arrays[0]] * 2), *arrays[1:]],
        lambda arrays: arrays[:1],
        lambda arrays: [],
        lambda arrays: [arrays[0], arrays[0], *arrays[2:]],
    ],
)
def test_an_answer_of_another_form_is_an_error(
    remote: RemoteEngine, service: Service, tiny_crops: NDArray[np.uint8], change: object
) -> None:
    service.change = change  # type: ignore[assignment]
    with pytest.raises(BackendError, match=r"answered with (toons|masks) as .*, not UINT8 \[2, 64"):
        remote.run(tiny_crops)


def test_fewer_bytes_than_the_shape_says_are_an_error(
    remote: RemoteEngine, service: Service, tiny_crops: NDArray[np.uint8]
) -> None:
    class Short:
        shape = (2, 64, 64, 3)

        def tobytes(self) -> bytes:
            return b"short"

    service.change = lambda arrays: [Short(), *arrays[1:]]  # type: ignore[list-item]
    with pytest.raises(BackendError, match="answered with toons as"):
        remote.run(tiny_crops)


def test_a_late_answer_is_an_error_in_time_and_the_next_one_counts(
    remote: RemoteEngine,
    service: Service,
    reference: TorchEngine,
    tiny_crops: NDArray[np.uint8],
) -> None:
    remote.deadline = 0.2
    service.free.clear()
    with pytest.raises(BackendError, match="gave no answer in time"):
        remote.run(tiny_crops)
    service.free.set()
    remote.deadline = 10
    assert difference(remote.run(tiny_crops).images, reference.run(tiny_crops).images) < AGREEMENT


def test_the_same_trouble_has_the_same_words(
    remote: RemoteEngine,
    service: Service,
    tiny_crops: NDArray[np.uint8],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(module, "LATER_CHECK", 0.05)
    remote.deadline = 0.05
    service.free.clear()
    said = set()
    for _ in range(3):
        with pytest.raises(BackendError) as caught:
            remote.run(tiny_crops)
        said.add(str(caught.value))
    assert len(said) == 1


def test_a_server_that_is_away_is_said_at_once(
    tiny: ToonNetwork, service: Service, said: list[str]
) -> None:
    with serving(service) as server:
        pass
    start = time.monotonic()
    with pytest.raises(BackendError, match=f"{server} cannot be reached over an unencrypted"):
        connect(tiny, f"{server}/{MODEL}", said)
    assert time.monotonic() - start < module.FIRST_CHECK / 2


def test_comes_back_by_itself_when_the_server_does(
    tiny: ToonNetwork,
    service: Service,
    reference: TorchEngine,
    tiny_crops: NDArray[np.uint8],
    said: list[str],
) -> None:
    with serving(service) as server:
        remote = connect(tiny, f"{server}/{MODEL}", said)
        remote.run(tiny_crops)
    with pytest.raises(BackendError, match="cannot be reached"):
        remote.run(tiny_crops)
    with serving(service, int(server.split(":")[1])):
        drawn = run_until_it_works(remote, tiny_crops)
    assert difference(drawn, reference.run(tiny_crops).images) < 0.01
    remote.close()


def test_another_model_after_a_restart_is_found_out(
    tiny: ToonNetwork,
    other_tiny: ToonNetwork,
    service: Service,
    tiny_crops: NDArray[np.uint8],
    said: list[str],
) -> None:
    with serving(service) as server:
        remote = connect(tiny, f"{server}/{MODEL}", said)
    with pytest.raises(BackendError, match="cannot be reached"):
        remote.run(tiny_crops)
    service.network = other_tiny
    with (
        serving(service, int(server.split(":")[1])),
        pytest.raises(BackendError, match="draws something else"),
    ):
        run_until_it_works(remote, tiny_crops)
    remote.close()


def test_the_server_is_checked_again_after_a_pause(
    remote: RemoteEngine,
    service: Service,
    other_tiny: ToonNetwork,
    tiny_crops: NDArray[np.uint8],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    remote.run(tiny_crops)
    service.network = other_tiny
    later = time.monotonic() + module.PAUSE + 1
    monkeypatch.setattr(module.time, "monotonic", lambda: later)
    with pytest.raises(BackendError, match="draws something else"):
        remote.run(tiny_crops)


def run_until_it_works(remote: RemoteEngine, crops: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """As a live run does: every frame asks again."""
    end = time.monotonic() + 20
    while True:
        try:
            return remote.run(crops).images
        except BackendError as error:
            if "cannot be reached" not in str(error) or time.monotonic() > end:
                raise
            time.sleep(0.05)


def test_a_server_that_takes_one_crop_at_a_time_gets_one(
    remote: RemoteEngine,
    tiny: ToonNetwork,
    service: Service,
    server: str,
    reference: TorchEngine,
    tiny_crops: NDArray[np.uint8],
) -> None:
    remote.run(tiny_crops)
    assert service.asked[-1] == 2
    service.batch = 1
    single = connect(tiny, f"{server}/{MODEL}", [])
    service.asked.clear()
    drawn = single.run(tiny_crops)
    assert service.asked == [1, 1]
    assert difference(drawn.images, reference.run(tiny_crops).images) < 0.01
    single.close()


def test_a_style_that_the_server_lacks_leaves_the_old_one(
    remote: RemoteEngine,
    other_tiny: ToonNetwork,
    reference: TorchEngine,
    tiny_crops: NDArray[np.uint8],
    said: list[str],
) -> None:
    remote.update(other_tiny)
    assert remote.settle(20)
    assert "the old one stays" in said[-1]
    assert difference(remote.run(tiny_crops).images, reference.run(tiny_crops).images) < 0.01


def test_precision_is_the_servers_choice(tiny: ToonNetwork, server: str) -> None:
    with pytest.raises(PrecisionError, match="remote runs as served here, not fp16"):
        create_engine(tiny, f"remote:{server}/{MODEL}", precision="fp16")


def test_a_closed_engine_says_so(
    tiny: ToonNetwork, server: str, tiny_crops: NDArray[np.uint8]
) -> None:
    engine = connect(tiny, f"{server}/{MODEL}", [])
    engine.close()
    with pytest.raises(BackendError, match="was closed"):
        engine.run(tiny_crops)
