import pytest

from transcode.process.encoders import SOFTWARE, encoder, trial

NAMES = ("libx264", "h264_vaapi", "h264_nvenc", "h264_qsv")


@pytest.mark.parametrize("name", NAMES)
def test_what_every_rung_must_be(name: str) -> None:
    options = encoder(name).options(max_rate=521_000, key_frame_distance=60, preset="faster", threads=3)
    promised = {key: options[key] for key in ("c", "profile", "bf", "g", "maxrate", "bufsize")}
    assert promised == {"c": name, "profile": "high", "bf": 0, "g": 60, "maxrate": 521_000, "bufsize": 1_042_000}
    assert 23 in {options.get(key) for key in ("crf", "cq", "global_quality")}


def test_only_x264_has_our_preset_and_threads() -> None:
    options = {
        name: encoder(name).options(max_rate=1, key_frame_distance=60, preset="faster", threads=3) for name in NAMES
    }
    assert [name for name in NAMES if options[name].get("preset") == "faster"] == [SOFTWARE]
    assert [name for name in NAMES if "threads" in options[name]] == [SOFTWARE]


@pytest.mark.parametrize(
    ("name", "forced"),
    [("h264_vaapi", ("idr_interval", 0)), ("h264_nvenc", ("forced-idr", 1)), ("h264_qsv", ("forced_idr", 1))],
)
def test_hardware_gets_its_device_and_forced_key_frames(name: str, forced: tuple[str, int]) -> None:
    hardware = encoder(name)
    options = hardware.options(max_rate=1000, key_frame_distance=60, preset="faster", threads=3)
    assert options[forced[0]] == forced[1]
    # Equal ones would mean a constant bit rate.
    assert 0 < int(str(options["b"])) < 1000
    assert all(device.startswith("/dev/") for device in hardware.devices)
    assert hardware.devices
    assert hardware.filters[0] == ("format", "nv12")


def test_the_trial_uses_all_of_it() -> None:
    command = trial("/bin/ffmpeg", encoder("h264_vaapi"))
    assert command[0] == "/bin/ffmpeg"
    assert command.index("-vaapi_device") < command.index("-i") < command.index("-c:v")
    assert command[command.index("-vf") + 1] == "format=nv12,hwupload"
    assert command[-2:] == ["null", "-"]


def test_an_unknown_one() -> None:
    with pytest.raises(ValueError, match="there are libx264, h264_vaapi"):
        encoder("h264_videotoolbox")
