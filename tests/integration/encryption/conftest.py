"""mautrix.crypto on our stand-in for libolm."""

from appservice.encryption.installation import install

install()
