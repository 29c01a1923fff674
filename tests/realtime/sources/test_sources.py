from __future__ import annotations

import threading
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from PIL import Image as PillowImage

from realtime.settings import SourceSettings
from realtime.sources import SourceError, open_source
from realtime.sources.camera import CameraInfo, CameraSource, find_camera
from realtime.sources.demo import FACE_HEIGHT, DemoSource
from realtime.sources.media import UNSPECIFIED, MediaSource
from realtime.sources.pictures import PictureSource, list_pictures
from tests.realtime.fakes import FakeDevice, Messages
from tests.realtime.media import damage, number_of, numbered, write_movie


def source(what: str, **settings: Any) -> Any:
    return open_source(SourceSettings(source=what, **settings), Messages(), every_frame=True)


CAMERAS = [
    CameraInfo(0, "Integrated Webcam", "/dev/video0", 200),
    CameraInfo(2, "USB Studio Cam", "/dev/video2", 200),
    CameraInfo(4, "USB Document Cam", "/dev/video4", 200),
]


class TestCamera:
    @pytest.mark.parametrize(
        ("what", "index"),
        [("0", 0), ("2", 2), ("integrated", 0), ("Studio", 2), ("/dev/video4", 4)],
    )
    def test_is_found_by_index_name_or_path(self, what: str, index: int) -> None:
        assert find_camera(what, CAMERAS).index == index

    @pytest.mark.parametrize(
        ("what", "message"),
        [("1", "No camera fits '1' .*0 .Integrated"), ("usb", "Several cameras fit 'usb'")],
    )
    def test_that_is_missing_or_unclear_is_told_with_the_choice(
        self, what: str, message: str
    ) -> None:
        with pytest.raises(SourceError, match=message):
            find_camera(what, CAMERAS)

    def camera(self, script: Iterator[Any], messages: Messages, **settings: Any) -> CameraSource:
        asked = SourceSettings(source="0", **{"size": (160, 120), "fps": 30, **settings})
        scripts = iter([script])
        return CameraSource(
            asked,
            messages,
            lambda _: FakeDevice(next(scripts)),
            pauses=(5.0,),
            frozen=0.05,
            rate_check=0.3,
        )

    def test_that_delivers_less_than_asked_is_told_of(self) -> None:
        messages = Messages()

        def slow() -> Iterator[Any]:
            rng = np.random.default_rng(0)
            while True:
                yield rng.integers(0, 255, (60, 80, 3), np.uint8)

        camera = self.camera(slow(), messages, fps=240.0)
        for frame in camera.frames():
            told = any("a second instead of 240" in line for line in messages)
            if (told and frame.number > 3) or frame.number > 3000:
                break
        camera.close()
        assert any("80x60 instead of 160x120" in line for line in messages)
        assert any("a second instead of 240" in line for line in messages)
        assert not any("is back" in line for line in messages)  # it was never gone

    def test_that_repeats_one_picture_is_told_of_once(self) -> None:
        messages = Messages()

        def frozen() -> Iterator[Any]:
            while True:
                yield np.zeros((120, 160, 3), np.uint8)

        camera = self.camera(frozen(), messages)
        for frame in camera.frames():
            if frame.number > 40:
                break
        camera.close()
        assert sum("frozen" in line for line in messages) == 1

    def test_that_is_missing_is_told_of_once_and_waited_for(self) -> None:
        messages = Messages()
        attempts = threading.Event()
        count = 0

        def missing(settings: SourceSettings) -> Any:
            nonlocal count
            count += 1
            if count == 4:
                attempts.set()
            raise SourceError("No camera fits '0'.")

        camera = CameraSource(SourceSettings(), messages, missing, pauses=(0.01,))
        thread = threading.Thread(target=lambda: list(camera.frames()))
        thread.start()
        assert attempts.wait(5)
        camera.close()
        thread.join(5)
        assert not thread.is_alive()
        assert messages == ["No camera fits '0'. Waiting for it."]

    def test_gets_what_was_asked_in_the_right_order(self, monkeypatch: pytest.MonkeyPatch) -> None:
        import cv2

        from realtime.sources import camera as module

        asked = []

        class Capture:
            def __init__(self, index: int, backend: int) -> None:
                self.opened = (index, backend)

            def isOpened(self) -> bool:  # noqa: N802
                return True

            def set(self, key: int, value: float) -> None:
                asked.append((key, value))

        monkeypatch.setattr(module, "list_cameras", lambda: CAMERAS)
        monkeypatch.setattr(cv2, "VideoCapture", Capture)
        module.open_camera(SourceSettings(source="2", size=(640, 480), fps=60))
        assert [key for key, _ in asked] == [
            cv2.CAP_PROP_FOURCC,
            cv2.CAP_PROP_FRAME_WIDTH,
            cv2.CAP_PROP_FRAME_HEIGHT,
            cv2.CAP_PROP_FPS,
            cv2.CAP_PROP_BUFFERSIZE,
        ]
        assert dict(asked)[cv2.CAP_PROP_BUFFERSIZE] == 1
        assert dict(asked)[cv2.CAP_PROP_FOURCC] == cv2.VideoWriter.fourcc(*"MJPG")


class TestMedia:
    def test_every_frame_comes_once_and_in_order(self, tmp_path: Path) -> None:
        opened = source(str(write_movie(tmp_path / "a.mp4", 60, jitter=True)))
        assert opened.size == (160, 120)
        assert opened.rate == pytest.approx(25, rel=0.05)
        assert opened.total == 60
        assert opened.audio_location
        frames = list(opened.frames())
        assert [number_of(frame.image) for frame in frames] == list(range(60))
        assert [frame.number for frame in frames] == list(range(60))
        expected = [Fraction(n * 40 + n % 3 * 5, 1000) for n in range(60)]
        assert [frame.media_time for frame in frames] == expected

    def test_may_begin_later(self, tmp_path: Path) -> None:
        path = str(write_movie(tmp_path / "a.mp4", 30))
        media = MediaSource(path, live=False, loop=False, report=Messages(), first=20)
        assert [number_of(frame.image) for frame in media.frames()] == list(range(20, 30))

    def test_loops(self, tmp_path: Path) -> None:
        path = str(write_movie(tmp_path / "a.mp4", 10))
        frames = MediaSource(path, live=False, loop=True, report=Messages()).frames()
        numbers = [number_of(next(frames).image) for _ in range(25)]
        assert numbers == [n % 10 for n in range(25)]

    def test_in_real_time_frames_leave_when_they_are_due(self, tmp_path: Path) -> None:
        path = str(write_movie(tmp_path / "a.mp4", 8, rate=100))
        media = MediaSource(path, live=True, loop=False, report=Messages())
        frames = list(media.frames())
        assert frames[-1].timestamp - frames[0].timestamp >= 0.065

    @pytest.mark.parametrize("full", [False, True], ids=["limited", "full"])
    @pytest.mark.parametrize(
        ("size", "matrix", "tag"),
        [
            ((1280, 720), "ITU709", UNSPECIFIED),
            ((1280, 720), "ITU709", 1),
            ((1280, 720), "ITU601", 5),
            ((640, 360), "ITU601", UNSPECIFIED),
        ],
    )
    def test_colours_are_those_that_players_show(
        self, tmp_path: Path, size: tuple[int, int], matrix: str, tag: int, full: bool
    ) -> None:
        colour = (40, 40, 200)
        with av.open(str(tmp_path / "a.mkv"), "w") as container:
            stream: Any = container.add_stream("libx264", rate=25, options={"crf": "1"})
            stream.width, stream.height = size
            stream.pix_fmt = "yuvj420p" if full else "yuv420p"
            stream.codec_context.colorspace = tag
            image = np.full((size[1], size[0], 3), colour, np.uint8)
            frame = av.VideoFrame.from_ndarray(image, format="bgr24").reformat(
                format=stream.pix_fmt,
                dst_colorspace=matrix,
                dst_color_range="JPEG" if full else "MPEG",
            )
            frame.colorspace, frame.pts = tag, 0
            container.mux([*stream.encode(frame), *stream.encode(None)])
        (frame_read,) = source(str(tmp_path / "a.mkv")).frames()
        assert np.abs(frame_read.image[100, 100].astype(int) - colour).max() <= 4

    @pytest.mark.parametrize(
        ("name", "content", "message"),
        [
            ("missing.mp4", None, "no file .*missing.mp4"),
            ("broken.mp4", b"not a movie" * 99, "cannot be opened as a video"),
        ],
    )
    def test_that_cannot_be_read_is_refused(
        self, tmp_path: Path, name: str, content: bytes | None, message: str
    ) -> None:
        if content:
            (tmp_path / name).write_bytes(content)
        with pytest.raises(SourceError, match=message):
            source(str(tmp_path / name))

    def test_that_is_damaged_is_refused(self, tmp_path: Path) -> None:
        path = damage(write_movie(tmp_path / "a.mp4", 10), tmp_path / "b.mp4")
        with pytest.raises(SourceError, match=r"no picture that can be decoded \(.+\)"):
            source(str(path))

    def test_without_pictures_is_refused(self, tmp_path: Path) -> None:
        path = tmp_path / "sound.wav"
        with av.open(str(path), "w") as container:
            stream = container.add_stream("pcm_s16le", rate=8000, layout="mono")
            frame = av.AudioFrame.from_ndarray(np.zeros((1, 800), np.int16), "s16", "mono")
            frame.sample_rate = 8000
            container.mux(stream.encode(frame))
        with pytest.raises(SourceError, match="no video stream"):
            source(str(path))


class TestPictures:
    def test_a_folder_that_cannot_be_read_is_refused(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def refuse(path: Path) -> None:
            raise PermissionError(13, "Permission denied")

        monkeypatch.setattr(Path, "iterdir", refuse)
        with pytest.raises(SourceError, match="cannot be read: Permission denied; check"):
            list_pictures(tmp_path)

    def test_folders_are_read_in_natural_order(self, tmp_path: Path) -> None:
        for number in (10, 2, 1):
            PillowImage.fromarray(numbered(number)).save(tmp_path / f"shot{number}.png")
        (tmp_path / "notes.txt").write_text("x")
        assert [path.stem for path in list_pictures(tmp_path)] == ["shot1", "shot2", "shot10"]
        frames = list(PictureSource(tmp_path, 25, live=False, loop=False).frames())
        assert [number_of(frame.image) for frame in frames] == [1, 2, 10]

    def test_an_empty_folder_is_refused(self, tmp_path: Path) -> None:
        with pytest.raises(SourceError, match="holds no pictures"):
            source(f"{tmp_path}/")


@pytest.fixture(scope="module")
def demo() -> DemoSource:
    return DemoSource((1280, 720), 30, live=False)


class TestDemo:
    def test_is_the_same_every_time_and_moves(self, demo: DemoSource) -> None:
        again = DemoSource((1280, 720), 30, live=False)
        assert (demo.render(40) == again.render(40)).all()
        difference = np.abs(demo.render(40).astype(int) - demo.render(46))
        assert 1 < difference.mean() < 40
        other = DemoSource((1280, 720), 30, live=False, seed=1)
        assert np.abs(demo.render(40).astype(int) - other.render(40)).mean() > 1

    def test_shows_a_face_of_a_webcam_s_size_and_a_second_one_at_times(
        self, demo: DemoSource
    ) -> None:
        from engines.faces.landmarker import Landmarker

        with Landmarker("image", max_faces=3, blendshapes=False, pose=False) as landmarker:
            counts = []
            for step in (0, 50, 100, 170, 215, 330):
                faces = landmarker.detect(np.ascontiguousarray(demo.render(step)[:, :, ::-1]))
                counts.append(len(faces))
                heights = [float(np.ptp(face.points[:, 1])) for face in faces]
                assert 190 < max(heights) < 280
        assert counts == [1, 1, 1, 2, 2, 1]

    def test_ends_after_its_total_and_scales(self) -> None:
        small = DemoSource((320, 180), 30, live=False, total=5)
        frames = list(small.frames())
        assert len(frames) == 5
        assert frames[0].image.shape == (180, 320, 3)
        assert frames[3].media_time == Fraction(3, 30)
        assert small._scale * FACE_HEIGHT == pytest.approx(0.32 * 180)


def test_the_kind_of_source_follows_from_what_is_given(tmp_path: Path) -> None:
    write_movie(tmp_path / "a.mp4", 3)
    PillowImage.fromarray(numbered(1)).save(tmp_path / "a.png")
    kinds = {
        "demo": "DemoSource",
        "0": "CameraSource",
        "Studio": "CameraSource",
        "/dev/video7": "CameraSource",
        str(tmp_path / "a.mp4"): "MediaSource",
        str(tmp_path / "a.png"): "PictureSource",
        str(tmp_path): "PictureSource",
    }
    found = {what: type(source(what, size=(64, 48))).__name__ for what in kinds}
    assert found == kinds
