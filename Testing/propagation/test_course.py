"""Where a height of one scan lies in another."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.nn import functional

from DPLSegmentLib.images.volume import Volume
from DPLSegmentLib.propagation.course import Course, corresponding, course_of
from DPLSegmentLib.propagation.engine import Engine

_STEP = 5.0


@pytest.fixture(scope="module")
def course() -> Course:
    """A scan of 300 mm that changes smoothly from one end to the other."""
    noise = torch.randn(1, 12 * 16, 20, generator=torch.Generator().manual_seed(3))
    smooth = functional.interpolate(noise, 60, mode="linear")[0].T.reshape(60, 12, 4, 4)
    return Course(functional.normalize(smooth, dim=1).half())


@given(st.integers(0, 20), st.integers(5, 35))
@settings(max_examples=25, deadline=None)
def test_a_part_of_a_scan_is_found_in_the_whole(course: Course, first: int, inside: int) -> None:
    part = Course(course.profile[first : first + 40], float(inside))
    height = corresponding(part, course)
    assert height is not None and abs(height - _STEP * (first + inside)) <= _STEP


@given(st.floats(0.85, 1.2), st.integers(10, 50))
@settings(max_examples=25, deadline=None)
def test_a_taller_patient_is_recognised(course: Course, stretch: float, at: int) -> None:
    flat = course.profile.float().reshape(60, -1).T[None]
    tall = functional.interpolate(flat, int(60 * stretch), mode="linear")[0].T.reshape(-1, 12, 4, 4)
    height = corresponding(Course(course.profile, float(at)), Course(functional.normalize(tall, dim=1).half()))
    assert height is not None and abs(height - _STEP * at * stretch) <= 3 * _STEP


def test_of_a_few_slices_no_height_is_told(course: Course) -> None:
    assert corresponding(course, Course(course.profile[:5])) is None
    assert corresponding(Course(course.profile[:5]), course) is None


def test_a_scan_lies_where_it_lies_in_itself(engine: Engine, ct: Volume) -> None:
    embedding = engine.embed(ct)
    course = course_of(embedding.fields)
    assert course.profile.shape[1:] == (embedding.features.shape[1], 4, 4)
    gap = embedding.stack.gap_mm
    found = corresponding(course.at(60, gap), course)
    assert found is not None and abs(found - 60 * gap) <= _STEP
