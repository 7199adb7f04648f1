"""End-to-end encryption of rooms (Olm and Megolm), an extra: nothing outside of this package needs its libraries."""
