import pytest

from transcode.commandline.downmix import to_stereo


@pytest.mark.parametrize("layout", ["mono", "stereo", "5.1(side)", "7.1.4", "FC+BC", "downmix"])
def test_channels_are_named_so_that_a_change_of_the_layout_is_taken(layout: str) -> None:
    argument = to_stereo(layout, 2)
    assert argument == to_stereo("stereo", 2)
    left, right = argument.split("|")[1:]
    assert left.startswith("FL<1.0*FL+")
    assert right.startswith("FR<1.0*FR+")
    assert ("*BL" in left, "*BL" in right, "*BR" in right, "*FC" in right) == (True, False, True, True)


@pytest.mark.parametrize(
    ("layout", "channels", "argument"),
    [
        ("ambisonic 1", 4, "stereo|c0=0.5*c0+0.5*c1|c1=0.5*c0-0.5*c1"),
        ("ambisonic 1+stereo", 6, "stereo|c0=0.5*c0+0.5*c1+c4|c1=0.5*c0-0.5*c1+c5"),
        ("ambisonic 0", 1, "stereo|c0=c0|c1=c0"),
        ("binaural", 2, "stereo|c0<c0|c1<c1"),
        ("3 channels", 3, "stereo|c0<c0+0.71*c2|c1<c1+0.71*c2"),
        ("unknown", 1, "stereo|c0=c0|c1=c0"),
        ("UNSD", 1, "stereo|c0=c0|c1=c0"),
    ],
)
def test_channels_without_a_place_are_numbered(layout: str, channels: int, argument: str) -> None:
    assert to_stereo(layout, channels) == argument
