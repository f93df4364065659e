"""Fixtures of `capture_scene`, shared by this folder's tests."""

from capture_scene import scene, sheet_pdf, small_photo, take

__all__ = ["scene", "sheet_pdf", "small_photo", "take"]
