import pytest
import torch

from physadv.transforms import Range, Resolution, TransformError, Warp, fixed, plus_minus
from physadv.transforms.geometry import apply_homography


class TestResolution:
    def test_keeps_what_has_pixels_enough(self):
        images = torch.rand(2, 3, 12, 16, generator=torch.Generator().manual_seed(0))
        assert torch.equal(
            Resolution(fixed(12)).apply(images, {"height": torch.tensor([12.0, 40.0])}), images
        )

    def test_stripes_finer_than_its_pixels_turn_grey_and_coarser_ones_stay(self):
        stripes = (torch.arange(64) // 2 % 2).float().expand(1, 3, 64, 64)
        bars = (torch.arange(64) // 16 % 2).float().expand(1, 3, 64, 64)
        few = {"height": torch.tensor([16.0])}
        assert float((Resolution(fixed(16)).apply(stripes, few) - 0.5).abs()[..., 4:-4].max()) < 0.13
        assert float((Resolution(fixed(16)).apply(bars, few) - bars).abs().mean()) < 0.1

    def test_every_image_is_reduced_by_its_own_draw(self):
        images = torch.rand(3, 3, 32, 32, generator=torch.Generator().manual_seed(0))
        drawn = {"height": torch.tensor([8.0, 32.0, 8.0])}
        together = Resolution(Range(8, 32)).apply(images, drawn)
        alone = Resolution(Range(8, 32)).apply(images[:1], {"height": drawn["height"][:1]})
        assert torch.equal(together[:1], alone)
        assert torch.equal(together[1], images[1])

    def test_passes_gradients(self):
        images = torch.rand(2, 3, 16, 16, requires_grad=True)
        Resolution(fixed(4)).apply(images, {"height": torch.tensor([4.0, 16.0])}).sum().backward()
        assert images.grad is not None
        assert float(images.grad.sum()) == pytest.approx(2 * 3 * 16 * 16, rel=1e-4)

    def test_refuses_a_picture_of_no_height(self):
        with pytest.raises(TransformError, match="height 1 to 4; wanted at least 2"):
            Resolution(Range(1, 4))


class TestCroppedWarp:
    def test_the_corners_of_what_is_seen_touch_the_frame_it_is_cropped_to(self):
        warp = Warp(yaw=fixed(50), focal=fixed(3), roll=fixed(4), crop=fixed(0))
        homography = warp.view(warp.sample(1, torch.Generator()), 40, 60).homography
        corners = torch.tensor([(-0.5, -0.5), (59.5, -0.5), (59.5, 39.5), (-0.5, 39.5)]).double()
        seen = apply_homography(homography, corners)[0]
        assert seen.amin(dim=0).tolist() == pytest.approx([-0.5, -0.5])
        assert seen.amax(dim=0).tolist() == pytest.approx([59.5, 39.5])

    def test_a_side_moved_outward_by_a_quarter_leaves_a_sixth_of_the_frame_beside_the_picture(self):
        warp = Warp(crop=fixed(0.25))
        homography = warp.view(warp.sample(1, torch.Generator()), 60, 60).homography
        corner = apply_homography(homography, torch.tensor([(-0.5, -0.5)]).double())[0, 0]
        assert corner.tolist() == pytest.approx([60 / 6 - 0.5] * 2)

    def test_can_be_about_a_part_of_the_picture(self):
        diamond = ((0.5, 0.0), (0.0, 0.5), (-0.5, 0.0), (0.0, -0.5))
        warp = Warp(crop=fixed(0), subject=diamond)
        homography = warp.view(warp.sample(1, torch.Generator()), 80, 80).homography
        ends = torch.tensor([(19.5, 39.5), (39.5, 59.5)]).double()
        assert apply_homography(homography, ends)[0].flatten().tolist() == pytest.approx(
            [-0.5, 39.5, 39.5, 79.5]
        )

    def test_refuses_another_place_beside_it(self):
        with pytest.raises(TransformError, match="crop places the picture"):
            Warp(crop=fixed(0), shift_x=plus_minus(0.1))
        with pytest.raises(TransformError, match=r"crop -1 to 1; wanted at least -0\.4"):
            Warp(crop=plus_minus(1))
