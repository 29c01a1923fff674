from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest

from realtime.sources.demo import DemoSource


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
        assert [frame.timestamp for frame in frames] == [step / 30 for step in range(5)]
        host = small._host
        assert host.scale * host.sitter.face_height == pytest.approx(0.32 * 180)
