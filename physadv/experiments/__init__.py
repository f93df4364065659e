"""Whole studies made of the stages: the demo and the reproduction of Kurakin et al. 2017."""
