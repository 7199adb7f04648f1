"""What takes the place of libolm, and what happens without the extra; each in a process of its own."""

import subprocess
import sys

import pytest


def _run(program: str) -> str:
    """Run a program and return what it printed."""
    result = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stderr
    return result.stdout


def test_mautrix_crypto_runs_on_our_module() -> None:
    printed = _run(
        "from appservice.encryption.installation import install\n"
        "install(); install()\n"
        "import olm, _libolm, mautrix.crypto\n"
        "print(olm.__name__, mautrix.crypto.OlmAccount.__mro__[1].__module__, _libolm.lib)"
    )
    assert printed.split() == ["appservice.encryption.olm", "appservice.encryption.olm_sessions", "None"]


@pytest.mark.parametrize("loaded", ["olm", "_libolm", "mautrix.crypto"])
def test_nothing_is_mixed_with_what_was_loaded_before(loaded: str) -> None:
    printed = _run(
        "import sys, types\n"
        f"sys.modules[{loaded!r}] = types.ModuleType({loaded!r})\n"
        "from appservice.encryption.installation import install\n"
        "try: install()\n"
        "except RuntimeError as error: print(error)\n"
        f"assert not hasattr(sys.modules[{loaded!r}], 'Account')"
    )
    assert printed.startswith(f"{loaded} is loaded already")


def test_without_the_extra_the_service_is_imported_and_encryption_says_what_to_install() -> None:
    printed = _run(
        "import sys\n"
        "sys.modules |= dict.fromkeys(['vodozemac', 'unpaddedbase64', 'base58', 'Crypto', 'Cryptodome'])\n"
        "import appservice.__main__, appservice.check, appservice.demo, appservice.wiring.process\n"
        "from appservice.core.errors import EncryptionNotInstalledError\n"
        "from appservice.encryption.installation import install\n"
        "try: install()\n"
        "except EncryptionNotInstalledError as error: print(error)\n"
        "assert 'olm' not in sys.modules and 'mautrix.crypto' not in sys.modules"
    )
    assert "(vodozemac, unpaddedbase64, base58, pycryptodome)" in printed
    assert "pip install 'roomreel[encryption]'" in printed
