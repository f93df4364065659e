import torch
from hypothesis import given
from hypothesis import strategies as st

from physadv.randomness import derive_seed, generator

PARTS = st.lists(st.one_of(st.integers(), st.text(st.characters(exclude_characters="/"))), max_size=3)


@given(st.integers(), PARTS)
def test_a_seed_fits_torch_and_depends_only_on_what_is_given(seed, parts):
    derived = derive_seed(seed, *parts)
    assert 0 <= derived < 2**63
    assert derived == derive_seed(seed, *parts)


def test_every_purpose_has_a_stream_of_its_own():
    purposes = [(seed, name, number) for seed in range(3) for name in "ab" for number in range(3)]
    draws = {tuple(torch.rand(4, generator=generator(*purpose)).tolist()) for purpose in purposes}
    assert len(draws) == len(purposes)
